/**
 * The menu of the demo: what can be done to the node that holds the address, and `heal`, which undoes all of it.
 */
import { askAdmin } from "../../mod/runtime/admin_socket_io.ts";
import { INSTANCE, type NodeName, otherThan, type Pair } from "./pair.ts";

/** A menu item by its name; the key is its first letter. */
export const MENU = {
  kill: "kill -9 its keeper",
  freeze: "freeze its keeper (SIGSTOP)",
  cut: "cut its link",
  backends: "stop its backends",
  maintenance: "take it out for maintenance",
  vip: "hand over on purpose (vip move)",
  heal: "undo everything",
} as const;

export type Action = keyof typeof MENU;

const ASK_MS = 2000;

export class Actions {
  readonly #undo: (() => Promise<void>)[] = [];
  /** When both are, the one that holds the address keeps it. */
  readonly #unserved = new Set<NodeName>();

  constructor(readonly pair: Pair) {}

  /** Does it to the node that holds the address, and says what it did; `active` null: none does. */
  async run(action: Action, active: NodeName | null): Promise<string> {
    if (action === "heal") return await this.#heal();
    if (active === null) return "no node says that it holds the address: heal first";
    return await this.#harm[action](active);
  }

  readonly #harm: Record<Exclude<Action, "heal">, (node: NodeName) => Promise<string>> = {
    kill: async (node) => {
      this.pair.signal(node, "SIGKILL");
      await this.pair.ended(node);
      this.#undo.push(() => Promise.resolve(this.pair.run(node)));
      return `killed the keeper of ${node}; its address is leased, so it goes by itself`;
    },
    freeze: (node) => {
      this.pair.signal(node, "SIGSTOP");
      this.#undo.push(() => Promise.resolve(this.pair.signal(node, "SIGCONT")));
      return Promise.resolve(`froze the keeper of ${node}; its address is leased, so it goes by itself`);
    },
    cut: async (node) => {
      await this.pair.lab.cut(node);
      this.#undo.push(() => this.pair.lab.heal(node));
      return `cut the link of ${node}`;
    },
    backends: async (node) => {
      if (this.#unserved.has(node)) return `the backends of ${node} are stopped already: heal first`;
      await this.pair.unserve(node);
      this.#unserved.add(node);
      this.#undo.push(() => {
        this.#unserved.delete(node);
        return Promise.resolve(this.pair.serve(node));
      });
      const other = otherThan(node);
      const then = this.#unserved.has(other)
        ? `so are those of ${other}: nobody moves`
        : `${other} has its own`;
      return `stopped the backends of ${node}; ${then}`;
    },
    maintenance: async (node) => {
      await this.#maintain(node, true);
      this.#undo.push(() => this.#maintain(node, false));
      return `took ${node} out, as \`tandem maintenance on\` does`;
    },
    vip: async (node) => {
      await this.#ask(node, `/api/instances/${INSTANCE}/move`, "POST");
      return `told ${node} to hand over, as \`tandem vip move ${INSTANCE}\` does`;
    },
  };

  /** Latest first: a node that was cut and then frozen thaws before its link is back. */
  async #heal(): Promise<string> {
    const count = this.#undo.length;
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) await undo();
    return count === 0 ? "nothing to heal" : `healed (${count})`;
  }

  #maintain(node: NodeName, on: boolean): Promise<void> {
    return this.#ask(node, "/api/maintenance", "PUT", { on });
  }

  async #ask(node: NodeName, path: string, method: "POST" | "PUT", body?: unknown): Promise<void> {
    const answer = await askAdmin(`${this.pair.directory}/${node}.sock`, path, ASK_MS, method, body);
    const { error } = answer as { readonly error?: string };
    if (error !== undefined) throw new Error(`${node} refused: ${error}`);
  }
}
