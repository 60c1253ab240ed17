/**
 * Scripts that complete the command line in bash, zsh and fish: commands, the options of each and words, and in bash the
 * names of pools and servers, for which the node is asked. Pure.
 */
export interface Completed {
  readonly name: string;
  readonly summary: string;
  /** With their dashes. */
  readonly options: readonly string[];
  /** Words that can stand behind it. */
  readonly words: readonly string[];
  /** What else: names that the node is asked for, or files. */
  readonly names: "servers" | "pools" | "files" | "none";
}

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

export function completionScript(shell: Shell, commands: readonly Completed[]): string {
  return { bash, zsh, fish }[shell](commands);
}

/** What adds more to choose from; a node that does not answer adds none. */
const NAMED = {
  none: "",
  files: "; _tandem_files",
  pools: "; _tandem_add < <(tandem completion pools 2>/dev/null)",
  servers: "; _tandem_add < <(tandem completion servers 2>/dev/null)",
};

function bash(commands: readonly Completed[]): string {
  const cases = commands.map(({ name, options, words, names }) =>
    `    ${name}) words="${[...words, ...options].join(" ")}"${NAMED[names]} ;;\n`
  );
  return `# Each line that fits, as it is: compgen -W would run what is in the name of a file.
_tandem_add() {
  local line
  while IFS= read -r line; do
    [[ $line != "$current"* ]] || COMPREPLY+=("$line")
  done
}
_tandem_files() {
  # Has their names quoted.
  compopt -o filenames 2>/dev/null
  _tandem_add < <(compgen -f -- "$current")
}
_tandem() {
  local words current="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  # These flags want a file.
  case "\${COMP_WORDS[COMP_CWORD-1]}" in
    -c|--config|--ca|--socket) _tandem_files; return ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${commands.map(({ name }) => name).join(" ")} help"
  else
    case "\${COMP_WORDS[1]}" in
${cases.join("")}    *) words="" ;;
    esac
  fi
  _tandem_add < <(compgen -W "$words" -- "$current")
  [ \${#COMPREPLY[@]} -gt 0 ] || _tandem_files
}
complete -F _tandem tandem
`;
}

function zsh(commands: readonly Completed[]): string {
  const described = commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}\n`);
  const cases = commands.map(({ name, options, words }) =>
    `    ${name}) compadd -- ${[...words, ...options].join(" ")}; _files ;;\n`
  );
  return `#compdef tandem
_tandem() {
  local -a commands=(
${described.join("")}  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  case "\${words[2]}" in
${cases.join("")}  esac
}
compdef _tandem tandem
`;
}

function fish(commands: readonly Completed[]): string {
  const lines = commands.flatMap(({ name, summary, options, words }) => [
    `complete -c tandem -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
    ...words.map((word) => `complete -c tandem -n "__fish_seen_subcommand_from ${name}" -f -a ${word}`),
    ...options.map((option) => {
      const flag = option.startsWith("--") ? `-l ${option.slice(2)}` : `-s ${option.slice(1)}`;
      return `complete -c tandem -n "__fish_seen_subcommand_from ${name}" ${flag}`;
    }),
  ]);
  return lines.join("\n") + "\n";
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
