/** WebSockets of a function, which a server that is told to finish does not wait for. */

/** From now on they are counted. The answer tells how many are open. */
export function countWebSockets(): () => number {
  const upgrade = Deno.upgradeWebSocket;
  let open = 0;
  Deno.upgradeWebSocket = (request, options) => {
    const upgraded = upgrade(request, options);
    open++;
    upgraded.socket.addEventListener("close", () => open--, { once: true });
    return upgraded;
  };
  return () => open;
}
