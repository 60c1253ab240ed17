/** The part of smtp-server that the test uses. */
export class SMTPServer {
  constructor(options: {
    readonly authOptional: boolean;
    readonly disabledCommands: readonly string[];
    readonly logger: boolean;
    onConnect(session: object, done: () => void): void;
    onClose(session: { readonly clientHostname: string; readonly hostNameAppearsAs: string }): void;
  });
  readonly server: { address(): { readonly port: number } };
  on(event: "error", handler: (error: Error) => void): void;
  listen(port: number, host: string, done: () => void): void;
  close(done: () => void): void;
}
