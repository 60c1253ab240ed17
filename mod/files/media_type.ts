/**
 * The `Content-Type` of a file by the ending of its name. What files are is the library's to know (the types of
 * IANA and those that are in use besides); text is said to be UTF-8. Pure.
 */
import mime from "mime";

/** RFC 9110 section 8.3: what is not known. */
export const UNKNOWN = "application/octet-stream";

/** The type of a file; `types` are the configuration's own, by ending in lower case, and go first. */
export function mediaType(name: string, types: Readonly<Record<string, string>>): string {
  const dot = name.lastIndexOf(".");
  if (dot <= name.lastIndexOf("/")) return UNKNOWN;
  const ending = name.slice(dot + 1).toLowerCase();
  const own = Object.hasOwn(types, ending) ? types[ending] : undefined;
  if (own !== undefined) return own;
  const type = mime.getType(ending);
  if (type === null) return UNKNOWN;
  return type.startsWith("text/") ? `${type}; charset=utf-8` : type;
}
