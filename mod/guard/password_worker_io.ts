/** The thread that checks passwords, one after the other. It knows nothing but hashes. */
import bcrypt from "bcryptjs";
import { argon2Verify } from "hash-wasm";
import { verify as verifyCrypt } from "unixcrypt";
import type { PasswordJob, PasswordResult } from "./passwords_io.ts";

const scope = self as unknown as {
  onmessage: (event: MessageEvent<PasswordJob>) => void;
  postMessage(result: PasswordResult): void;
};

let order: Promise<void> = Promise.resolve();

scope.onmessage = ({ data: { id, hash, password } }) => {
  order = order.then(async () => {
    // A hash that is none is nobody's.
    const good = await isGood(hash, password).catch(() => false);
    scope.postMessage({ id, good });
  });
};

async function isGood(hash: string, password: string): Promise<boolean> {
  if (hash.startsWith("$2")) return bcrypt.compareSync(password, hash);
  if (hash.startsWith("$argon2")) return await argon2Verify({ password, hash });
  return verifyCrypt(password, hash);
}
