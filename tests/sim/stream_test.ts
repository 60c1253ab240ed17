/** The simulated streams keep the contract that the real ones keep, or the simulator would prove nothing. */
import { streamContract } from "../contract/stream.ts";
import { Network, type NetworkOptions } from "./network.ts";
import { SimStream } from "./stream.ts";

function open(options: NetworkOptions) {
  const network = new Network(options);
  const stream = new SimStream(network, "192.0.2.1", 1);
  const { peer } = stream;
  const received = () => Uint8Array.from(peer.received.flatMap((piece) => [...piece]));
  return Promise.resolve({
    stream,
    buffers: network.buffers,
    peer: {
      send: (bytes: Uint8Array) => peer.send(bytes),
      end: () => peer.end(),
      reset: () => peer.reset(),
      reading: (on: boolean) => on ? peer.go() : peer.stop(),
      get received() {
        return received();
      },
      get gotEnd() {
        return peer.gotEnd;
      },
    },
    until(condition: () => boolean) {
      while (!condition()) {
        if (network.schedule.next === Infinity) throw new Error("Nothing happens any more");
        network.schedule.step();
      }
      return Promise.resolve();
    },
    pass() {
      network.settle();
      return Promise.resolve();
    },
    close() {
      network.settle();
      const [fault] = network.faults;
      if (fault !== undefined) throw fault;
      return Promise.resolve();
    },
  });
}

streamContract("SimStream", () => open({}));
streamContract("SimStream with delays and splits", () => open({ split: "random", delayMs: 5, seed: 7 }));
