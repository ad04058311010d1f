import { type Command, InvalidArgumentError } from 'commander';
import { calls, common, type ProgramContext } from './registration.js';

interface ActionOptions {
  readonly metadata: string;
  readonly dataAccessed: string;
  readonly eventId?: string;
}

const headerText = (text: string): string => {
  if (!/^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$/.test(text))
    throw new InvalidArgumentError('Give 1 to 255 printable ASCII characters.');
  return text;
};

/** The options that describe an action. */
export const actionOptions = (command: Command): Command =>
  command
    .argument('<action>', 'in dot-notation, such as deploy.production')
    .option('--metadata <json>', 'JSON object, @file, or - for standard input', '{}')
    .option('--data-accessed <json>', 'JSON list of objects, @file, or -', '[]')
    .option('--event-id <id>', 'idempotency key: the same one gets the first answer again', headerText);

export async function readAction(
  action: string,
  { metadata, dataAccessed, eventId }: ActionOptions,
  stdin: NodeJS.ReadableStream,
) {
  const { aListOfObjects, anObject, readJsonArgument } = await import('../read-argument.js');
  return {
    action,
    metadata: await readJsonArgument('--metadata', metadata, anObject, stdin),
    dataAccessed: await readJsonArgument('--data-accessed', dataAccessed, aListOfObjects, stdin),
    eventId: eventId ?? crypto.randomUUID(),
  };
}

export function registerGate(program: Command, context: ProgramContext): void {
  actionOptions(common(program.command('gate')))
    .description('submit an action; wait until it is approved or denied; run COMMAND only after approval')
    .usage('[options] ACTION [-- COMMAND …]')
    .option('--timeout <duration>', 'stop waiting after this long and withdraw the request (exit 2)')
    .action(
      calls<ActionOptions & { readonly timeout?: string }>(
        context,
        async (ports, { timeout, ...options }, [action = '']) => {
          const { readDuration } = await import('../read-argument.js');
          const timeoutMs = timeout === undefined ? null : readDuration('--timeout', timeout);
          const asked = await readAction(action, options, context.stdin);
          const { gate } = await import('../commands/gate.js');
          return gate({ ...asked, timeoutMs, command: context.command ?? [] }, ports);
        },
      ),
    );
}
