import { acceptError } from "../../mod/net/epoll_listen_io.ts";
import { acceptProblem } from "../../mod/runtime/accept_problem.ts";
import { assertEquals, assertStringIncludes } from "../assert.ts";

Deno.test("acceptProblem() says which limit is reached, and anything else as it is", () => {
  const said = (message: string) => acceptProblem("web", new Error(message));
  assertEquals(
    said("Too many open files (os error 24)"),
    "Cannot accept connections for the listener `web` as this process has too many open files: " +
      "raise its limit (LimitNOFILE in systemd, ulimit -n)",
  );
  assertEquals(
    said("Too many open files in system (os error 23)"),
    "Cannot accept connections for the listener `web` as the system has too many open files: raise fs.file-max",
  );
  assertEquals(said("no memory"), "Cannot accept connections for the listener `web`: no memory");
});

Deno.test("acceptProblem() knows the limits also as the listeners on epoll tell them", () => {
  assertStringIncludes(acceptProblem("web", acceptError(24)), "raise its limit");
  assertStringIncludes(acceptProblem("web", acceptError(23)), "raise fs.file-max");
});
