/**
 * Lint rule: pure files take time and randomness as parameters.
 *
 * The type check of `purity.ts` hides everything the runtime adds; what is left to refuse by name is what the language
 * itself brings. It looks at names only, so it needs no types and runs in the editor.
 */
import { isPure, ROOT } from "./tree.ts";

const MEMBERS = new Set(["Date.now", "Math.random", "performance.now", "crypto.randomUUID"]);

const plugin: Deno.lint.Plugin = {
  name: "tandem",
  rules: {
    "pure-time-and-random": {
      create(context) {
        const path = context.filename.replace(`${ROOT}/`, "");
        if (!isPure(path)) return {};
        const refuse = (node: Deno.lint.Node, what: string) =>
          context.report({
            node,
            message: `A pure file cannot use ${what}: take \`now\` or \`random\` as a parameter`,
          });
        return {
          MemberExpression(node) {
            if (node.object.type !== "Identifier") return;
            const property = node.property.type === "Identifier"
              ? node.property.name
              : node.property.type === "Literal"
              ? String(node.property.value)
              : "";
            const name = `${node.object.name}.${property}`;
            if (MEMBERS.has(name)) refuse(node, name);
          },
          "NewExpression[arguments.length=0] > Identifier[name='Date']"(node: Deno.lint.Identifier) {
            refuse(node, "new Date()");
          },
          "CallExpression > Identifier[name='Date']"(node: Deno.lint.Identifier) {
            refuse(node, "Date()");
          },
        };
      },
    },
  },
};

export default plugin;
