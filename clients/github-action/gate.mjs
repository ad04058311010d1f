// The step of action.yml: runs `al gate`, and says in the ways of GitHub what it came to. Needs Node and nothing else.
// Whatever comes back from the system (names, reasons) was written by people and agents: it is never printed where the runner
// reads commands, and never becomes part of a script.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { accessSync, appendFileSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const { env } = process;
const published = ['npx', '--yes', '@agentlattice/cli@0.1.0'];
/** As `al` exits (docs/clients/cli.md), where it did not clear the action. */
const usage = 3;
const verdicts = { 1: 'denied', 2: 'timed_out', 4: 'unreachable' };
/** The command is an environment variable here too. First it lets the runner read commands again, and hides the grant. */
const inBash = [
  String.raw`printf '\n::%s::\n::add-mask::%s\n' "$AL_GATE_TOKEN" "$AL_GRANT"`,
  'unset AL_GATE_TOKEN',
  'exec bash -eo pipefail -c "$INPUT_COMMAND"',
].join('; ');

/** What a person sees of the run, and what the grant binds beside the metadata of the workflow. */
const facts = {
  repository: env.GITHUB_REPOSITORY,
  workflow: env.GITHUB_WORKFLOW,
  job: env.GITHUB_JOB,
  ref: env.GITHUB_REF,
  sha: env.GITHUB_SHA,
  actor: env.GITHUB_TRIGGERING_ACTOR ?? env.GITHUB_ACTOR,
  run_id: env.GITHUB_RUN_ID,
  run_attempt: env.GITHUB_RUN_ATTEMPT,
};

const onPath = () =>
  (env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, 'al'), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
const programOf = (cli = '') => (cli !== '' ? [cli] : onPath() ? ['al'] : published);

/** Writes to a file that GitHub named; values may have several lines, and cannot end their block themselves. */
function output(name, value) {
  const end = randomUUID();
  if (env.GITHUB_OUTPUT) appendFileSync(env.GITHUB_OUTPUT, `${name}<<${end}\n${value}\n${end}\n`);
}
const say = (line) => process.stderr.write(`${line}\n`);
/** A command to the runner. It reads both streams; one of them keeps the order. */
const command = (name, value = '') => say(`::${name}::${escaped(value)}`);
const escaped = (value) => value.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
/** Text of others in a table of Markdown. */
const cell = (value) =>
  `<code>${String(value ?? '–')
    .slice(0, 300)
    .replaceAll(/[&<>"'|`\\[\]()*_~#!@]/g, (char) => `&#${char.codePointAt(0)};`)
    .replaceAll(/[\p{C}\u2028\u2029]+/gu, ' ')}</code>`;

function metadataOf(written) {
  const text = written?.trim() || '{}';
  const given = JSON.parse(text);
  if (given === null || typeof given !== 'object' || Array.isArray(given)) throw new Error('it is no object');
  // Numbers stay as they were written: the text goes on, with the facts of the run behind it.
  const members = text.slice(1, -1).trim();
  if (Object.hasOwn(given, 'github')) throw new Error('the member “github” is for the facts of the run');
  return `{${members}${members === '' ? '' : ','}"github":${JSON.stringify(facts)}}`;
}

function argumentsOf(metadata) {
  const { INPUT_ACTION: action = '', INPUT_TIMEOUT: timeout = '', INPUT_COMMAND: run = '' } = env;
  return [
    ...['gate', action, '--json', '--metadata', metadata],
    ...(timeout === '' ? [] : ['--timeout', timeout]),
    ...(run === '' ? [] : ['--', 'bash', '-c', inBash]),
  ];
}

/** Runs `al`. @returns its exit code and the JSON it printed */
function gate(args, token) {
  const { INPUT_BASE_URL: baseUrl, INPUT_API_KEY: key, INPUT_CLI: cli } = env;
  const [file, ...first] = programOf(cli);
  const { INPUT_API_KEY: _, ...rest } = env;
  const given = { ...(key ? { AL_API_KEY: key } : {}), ...(baseUrl ? { AL_BASE_URL: baseUrl } : {}) };
  const child = spawn(file, [...first, ...args], {
    env: { ...rest, ...given, AL_GATE_TOKEN: token },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // Cancelling the job withdraws the request.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (printed += text));
  return new Promise((done) => {
    child.once('error', (error) => done({ code: usage, result: {}, fault: `${file}: ${error.message}` }));
    child.once('close', (code) => done({ code: code ?? 1, result: jsonIn(printed) }));
  });
}
function jsonIn(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

/** Only what `al` says in full is a yes. */
function verdictOf(code, { status, allowed, grant }) {
  if (allowed === true && typeof grant === 'string') return status === 'approved' ? 'approved' : 'allowed';
  return code > 128 ? 'cancelled' : (verdicts[code] ?? 'failed');
}

function summarize(
  verdict,
  { approval_id, policy_name, resolved_by_name, reason, denial_reason, command: ended },
) {
  if (!env.GITHUB_STEP_SUMMARY) return;
  const rows = [
    ['action', env.INPUT_ACTION],
    ['verdict', verdict],
    ['request', approval_id],
    ['policy', policy_name],
    ['decided by', resolved_by_name],
    ['reason', reason ?? denial_reason],
    ...(ended === undefined ? [] : [['exit code of the command', ended.exit_code]]),
  ];
  const table = rows.map(([name, value]) => `| ${name} | ${cell(value)} |`).join('\n');
  appendFileSync(env.GITHUB_STEP_SUMMARY, `### AgentLattice gate\n\n| | |\n| --- | --- |\n${table}\n`);
}

let metadata;
try {
  metadata = metadataOf(env.INPUT_METADATA);
} catch (error) {
  say(`metadata must be a JSON object: ${error.message}`);
  process.exit(usage);
}
// What `al` prints goes to the log, where no line of it is a command to the runner.
const token = randomUUID();
command('stop-commands', token);
const { code, result, fault } = await gate(argumentsOf(metadata), token);
say('');
command(token);
if (fault !== undefined) say(fault);
const verdict = verdictOf(code, result);
const isCleared = verdict === 'approved' || verdict === 'allowed';
if (isCleared) command('add-mask', result.grant);
output('verdict', verdict);
output('approval-id', result.approval_id ?? '');
output('grant', isCleared ? result.grant : '');
summarize(verdict, result);
process.exitCode = isCleared ? code : code || 1;
