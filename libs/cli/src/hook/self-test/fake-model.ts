import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

export interface FakeModelOptions {
  /** The next call, after so many results; null: the model has nothing more to do. */
  readonly next: (results: readonly string[]) => Promise<ModelCall | null>;
}

export interface FakeModel {
  readonly baseUrl: string;
  stop(): void;
}

/** A shell command, or, in a dialect that has it, a text that is typed into the command of the last result. */
export type ModelCall = { readonly command: string; readonly terminal?: true } | { readonly typed: string };

type Event = readonly [name: string | null, data: unknown];
/** Null: a request for something else, such as a title, gets a text. */
type Call = {
  readonly id: string;
  readonly command: string;
  readonly typed?: string;
  readonly terminal?: true;
} | null;

/**
 * A model on this machine that asks for one shell command after the other, in the dialects of the model interfaces that the
 * hosts speak: messages of Anthropic, responses of OpenAI, and chat completions. No account and no network is needed.
 */
export async function startFakeModel({ next }: FakeModelOptions): Promise<FakeModel> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const dialect = dialects.find(({ path }) => (request.url ?? '').split('?')[0]?.endsWith(path) === true);
      if (dialect === undefined || request.method !== 'POST') {
        response.writeHead(404, { 'content-type': 'application/json' }).end('{}');
        return;
      }
      answer(dialect, body).then(
        (events) => stream(response, events),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    });
  });
  const answer = async (dialect: Dialect, body: string) => {
    const asked = dialect.read(JSON.parse(body));
    const call = asked.hasShell ? await next(asked.results) : null;
    const id = `call_${String(asked.results.length)}`;
    return dialect.write(call === null ? null : { id, command: '', ...call }, asked);
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    baseUrl: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function stream(response: ServerResponse, events: readonly Event[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const [name, data] of events) {
    if (name !== null) response.write(`event: ${name}\n`);
    response.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
  }
  response.end();
}

interface Asked {
  readonly hasShell: boolean;
  readonly results: readonly string[];
  readonly shellTool: string;
}

interface Dialect {
  readonly path: string;
  read(body: unknown): Asked;
  write(call: Call, asked: Asked): readonly Event[];
}

const loose = z.looseObject;
const items = z.array(loose({}));
const textIn = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value ?? ''));

const anthropic: Dialect = {
  path: '/messages',
  read(body) {
    const { tools = [], messages } = z.object({ tools: items.optional(), messages: items }).parse(body);
    const results = messages
      .flatMap(({ content }) => (Array.isArray(content) ? (content as Record<string, unknown>[]) : []))
      .filter(({ type }) => type === 'tool_result')
      .map(({ content }) => textIn(content));
    return { hasShell: tools.some(({ name }) => name === 'Bash'), results, shellTool: 'Bash' };
  },
  write(call) {
    const usage = { input_tokens: 1, output_tokens: 1 };
    const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'fake', content: [], usage };
    const [block, delta] =
      call === null
        ? [
            { type: 'text', text: '' },
            { type: 'text_delta', text: 'done' },
          ]
        : [
            { type: 'tool_use', id: call.id, name: 'Bash', input: {} },
            {
              type: 'input_json_delta',
              partial_json: JSON.stringify({ command: call.command, description: `step ${call.id}` }),
            },
          ];
    const stop_reason = call === null ? 'end_turn' : 'tool_use';
    const events = [
      { type: 'message_start', message: { ...message, stop_reason: null } },
      { type: 'content_block_start', index: 0, content_block: block },
      { type: 'content_block_delta', index: 0, delta },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason }, usage },
      { type: 'message_stop' },
    ];
    return events.map((event) => [event.type, event] as const);
  },
};

/** Codex names its shell by the model and by its own version. */
const codexShells = ['exec_command', 'shell_command', 'shell'];
const openAiResponses: Dialect = {
  path: '/responses',
  read(body) {
    const { tools = [], input } = z.object({ tools: items.optional(), input: items }).parse(body);
    const results = input
      .filter(({ type }) => type === 'function_call_output')
      .map(({ output }) => textIn(output));
    const shellTool = codexShells.find((shell) => tools.some(({ name }) => name === shell));
    return { hasShell: shellTool !== undefined, results, shellTool: shellTool ?? '' };
  },
  write(call, asked) {
    const shellTool = call?.typed === undefined ? asked.shellTool : 'write_stdin';
    const session = /session ID (\d+)/.exec(asked.results.at(-1) ?? '')?.[1];
    const words = {
      write_stdin: { session_id: Number(session ?? 0), chars: call?.typed, yield_time_ms: 1_000 },
      exec_command: {
        cmd: call?.command,
        ...(call?.terminal === true ? { tty: true, yield_time_ms: 1_000 } : {}),
      },
      shell_command: { command: call?.command },
      shell: { command: ['sh', '-c', call?.command] },
    };
    const item =
      call === null
        ? {
            type: 'message',
            id: 'msg_1',
            role: 'assistant',
            content: [{ type: 'output_text', text: 'done' }],
          }
        : {
            ...{ type: 'function_call', id: `fc_${call.id}`, call_id: call.id, name: shellTool },
            arguments: JSON.stringify(words[shellTool as keyof typeof words]),
          };
    const usage = { input_tokens: 1, output_tokens: 1, total_tokens: 2 };
    const events = [
      { type: 'response.created', response: { id: 'resp_1' } },
      { type: 'response.output_item.done', output_index: 0, item },
      { type: 'response.completed', response: { id: 'resp_1', usage } },
    ];
    return events.map((event) => [event.type, event] as const);
  },
};

const chatCompletions: Dialect = {
  path: '/chat/completions',
  read(body) {
    const { tools = [], messages } = z.object({ tools: items.optional(), messages: items }).parse(body);
    const results = messages.filter(({ role }) => role === 'tool').map(({ content }) => textIn(content));
    const hasShell = tools.some(({ function: f }) => (f as { name?: unknown } | undefined)?.name === 'bash');
    return { hasShell, results, shellTool: 'bash' };
  },
  write(call) {
    const base = { id: 'chat_1', object: 'chat.completion.chunk', created: 1, model: 'fake' };
    const delta =
      call === null
        ? { role: 'assistant', content: 'done' }
        : {
            role: 'assistant',
            content: null,
            tool_calls: [
              {
                ...{ index: 0, id: call.id, type: 'function' },
                function: {
                  name: 'bash',
                  arguments: JSON.stringify({ command: call.command, description: `step ${call.id}` }),
                },
              },
            ],
          };
    const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
    const finish_reason = call === null ? 'stop' : 'tool_calls';
    return [
      [null, { ...base, choices: [{ index: 0, delta, finish_reason: null }] }],
      [null, { ...base, choices: [{ index: 0, delta: {}, finish_reason }], usage }],
      [null, '[DONE]'],
    ];
  },
};

const dialects: readonly Dialect[] = [anthropic, openAiResponses, chatCompletions];
