/** Lets requests through that have a key, and tells the servers whose it is: `EDGE_KEYS=ada:secret,bob:other`. */
interface Context {
  next(pool?: string, changes?: { set?: Record<string, string>; remove?: string[] }): Response;
}

const pairs = (Deno.env.get("EDGE_KEYS") ?? "").split(",").filter((pair) => pair.includes(":"));
const userByKey = new Map(pairs.map((pair) => pair.split(":").reverse() as [key: string, user: string]));

export default {
  fetch(request: Request, context: Context): Response {
    const user = userByKey.get(request.headers.get("x-key") ?? "");
    if (user === undefined) return new Response("who are you?\n", { status: 401 });
    return context.next("app", { set: { "x-user": user }, remove: ["x-key"] });
  },
};
