/** The part of the package `ws` that the scenarios use; it has no types of its own. */

interface Events {
  open(): void;
  pong(): void;
  message(data: Uint8Array<ArrayBuffer>, binary: boolean): void;
  close(code: number, reason: Uint8Array): void;
}

export declare class WebSocket {
  constructor(url: string, protocols: string[], options: { perMessageDeflate: boolean });
  readonly protocol: string;
  on<Name extends keyof Events>(event: Name, listener: Events[Name]): void;
  send(data: string | Uint8Array<ArrayBuffer>, options?: { binary: boolean }): void;
  ping(): void;
  close(code?: number, reason?: string): void;
}

export declare class WebSocketServer {
  constructor(options: { port: number; host: string; perMessageDeflate: boolean });
  on(event: "listening", listener: () => void): void;
  on(event: "connection", listener: (socket: WebSocket) => void): void;
  address(): { port: number };
  close(closed: () => void): void;
}
