import type { Command } from 'commander';

type Shell = 'bash' | 'zsh' | 'fish';

/** What can follow a path of commands: commands and options. */
interface Place {
  readonly path: string;
  readonly words: readonly string[];
}

/** A script that completes what the program declares. */
export function completionScript(shell: Shell, program: Command): string {
  const places = placesOf(program, '');
  if (shell === 'fish') return fishScript(places);
  return shell === 'bash'
    ? bashScript(places)
    : `#compdef al\nautoload -Uz bashcompinit && bashcompinit\n${bashScript(places)}`;
}

function placesOf(command: Command, path: string): Place[] {
  const names = command.commands.map((each) => each.name());
  const options = command.options.flatMap(({ long }) => (typeof long === 'string' ? [long] : []));
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  return [
    { path, words: [...names, ...choices, ...options, '--help'] },
    ...command.commands.flatMap((each) => placesOf(each, `${path} ${each.name()}`.trim())),
  ];
}

/** Words behind `--` belong to the command of a gate and are completed as file names. */
const bashScript = (places: readonly Place[]) => `_al() {
  local word="\${COMP_WORDS[COMP_CWORD]}" path="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ "\${COMP_WORDS[i]}" == -- ]] && return
    [[ "\${COMP_WORDS[i]}" == -* ]] && continue
    case "$path\${path:+ }\${COMP_WORDS[i]}" in
      ${places
        .filter(({ path }) => path !== '')
        .map(({ path }) => `"${path}"`)
        .join('|')}) path="$path\${path:+ }\${COMP_WORDS[i]}" ;;
    esac
  done
  case "$path" in
${places.map(({ path, words }) => `    "${path}") COMPREPLY=($(compgen -W "${words.join(' ')}" -- "$word")) ;;`).join('\n')}
  esac
}
complete -o default -F _al al`;

function fishScript(places: readonly Place[]): string {
  const lines = places.flatMap(({ path, words }) => {
    const parts = path === '' ? [] : path.split(' ');
    const isHere = [
      ...parts.map((part) => `__fish_seen_subcommand_from ${part}`),
      // One level deeper, other words follow.
      ...(words.some((word) => !word.startsWith('--'))
        ? [`not __fish_seen_subcommand_from ${words.filter((word) => !word.startsWith('--')).join(' ')}`]
        : []),
    ].join('; and ');
    return words.map((word) =>
      word.startsWith('--')
        ? `complete -c al -n "${isHere}" -l ${word.slice(2)}`
        : `complete -c al -n "${isHere}" -f -a ${word}`,
    );
  });
  return lines.join('\n');
}
