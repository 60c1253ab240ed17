/** Who waits for a stream to a server of HTTP/2, and what becomes of them when a connection cannot be had. */
import type { Dialer, DialHandler, Stream } from "../../mod/net/stream.ts";
import { Http2Dialer } from "../../mod/proxy/http2_dialer.ts";
import { assertEquals } from "../assert.ts";
import { speakHttp2 } from "../sim/http2_server.ts";
import { simulate } from "../sim/world.ts";

Deno.test("Http2Dialer a connection that fails takes nobody along for whom another one has room", () => {
  simulate({ servers: 1 }, (world) => {
    const [server] = world.servers;
    speakHttp2(server!, () => {}, [[3, 1]]);
    const { environment } = world;
    let second: DialHandler | null = null;
    const below: Dialer = {
      dial(host, port, handler) {
        if (server!.dials === 0) return environment.dialer.dial(host, port, handler);
        second = handler;
        return { cancel() {} };
      },
    };
    const dialer = new Http2Dialer(environment, below, "http", 1000);
    const opened: Stream[] = [];
    const failed: string[] = [];
    const dial = () => {
      dialer.dial(server!.host, server!.port, {
        onOpen: (stream) => opened.push(stream),
        onFailed: ({ message }) => failed.push(message),
      });
      world.settle();
    };
    for (let n = 0; n < 3; n++) dial();
    assertEquals(opened.length, 1);
    opened[0]!.close();
    second!.onFailed(new Error("refused"));
    assertEquals([opened.length, failed], [2, ["refused"]]);
    opened[1]!.close();
  });
});
