/** The part of smtp-server that the test uses. */
export class SMTPServer {
  constructor(options: {
    readonly authOptional: boolean;
    readonly disabledCommands: readonly string[];
    readonly logger: boolean;
    readonly cert?: string;
    readonly key?: string;
    onConnect(session: object, done: () => void): void;
    onClose(session: {
      readonly clientHostname: string;
      readonly hostNameAppearsAs: string;
      readonly secure: boolean;
    }): void;
  });
  readonly server: { address(): { readonly port: number } };
  on(event: "error", handler: (error: Error) => void): void;
  listen(port: number, host: string, done: () => void): void;
  close(done: () => void): void;
}
