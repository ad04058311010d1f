// Agents and an approver that go on while replicas are exchanged. Whatever is not the wanted answer counts as failed.
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

/** Between two requests of an agent, so that connections are idle in between, as those of real agents are. */
const thinkMs = 50;

export class Load {
  requests = 0;
  /** Requests that were not answered as they had to be. */
  failed = 0;
  /** Those that failed by a fault of the older release that this one mends. */
  mended = 0;
  /** How such a failure reads, while replicas with that fault are stopped. */
  fault = undefined;
  /** `audit_event_id` of every answered submission. */
  submitted = new Set();
  /** `approval_id` of every answered submission that asks a person. */
  opened = new Set();
  /** Held requests that were answered before their decision, because their gateway stopped. */
  answeredEarly = 0;
  #running = true;
  #approving = true;
  #agents = [];
  #approver = Promise.resolve();
  #connections = new Agent({ keepAlive: true, maxSockets: 64 });

  /** @param tell is told what failed, and why */
  constructor(baseUrl, credentials, tell) {
    this.baseUrl = baseUrl;
    this.credentials = credentials;
    this.tell = tell;
  }

  start({ submitters, holders, waiters }) {
    const many = (count, loop) => Array.from({ length: count }, () => this.#loop(loop));
    this.#agents = [
      ...many(submitters, () => this.#submit()),
      ...many(holders, () => this.#submitAndHold()),
      ...many(waiters, () => this.#askAndWait()),
    ];
    this.#approver = this.#approve();
  }

  /** Requests under way are finished; what is still open is decided. */
  async stop() {
    this.#running = false;
    await Promise.all(this.#agents);
    this.#approving = false;
    await this.#approver;
    this.#connections.destroy();
  }

  async #loop(once) {
    while (this.#running) {
      await once();
      await pause(thinkMs);
    }
  }

  /** An action that is allowed. */
  async #submit() {
    const answer = await this.insist('POST', '/api/v1/actions', 200, { body: { action_type: 'let.me' } });
    this.submitted.add(answer.audit_event_id);
  }

  /** An action whose agent waits in the same request until somebody has decided. */
  async #submitAndHold() {
    const headers = { prefer: 'wait=30', 'x-al-event-id': randomUUID() };
    for (let status = 202; status === 202;) {
      const answer = await this.insist('POST', '/api/v1/actions', [200, 202], {
        ...{ body: { action_type: 'ask.me' }, headers },
      });
      this.#opened(answer);
      status = answer.status === 'requested' ? 202 : 200;
      if (status === 202) this.answeredEarly++;
      else if (answer.status !== 'executed') this.#fail('a held action', JSON.stringify(answer));
    }
  }

  /** An action whose agent then waits by asking for the status; it is approved from here. */
  async #askAndWait() {
    const asked = await this.insist('POST', '/api/v1/actions', 202, { body: { action_type: 'ask.me' } });
    this.#opened(asked);
    for (let status = 'pending'; status === 'pending' || status === 'escalated';) {
      const path = `/api/v1/approvals/${asked.approval_id}/status`;
      const answer = await this.insist('GET', path, 200, { headers: { prefer: 'wait=30' } });
      status = answer.status;
      if (status === 'pending') this.answeredEarly++;
    }
  }

  #opened(answer) {
    this.submitted.add(answer.audit_event_id);
    this.opened.add(answer.approval_id);
  }

  /** Approves whatever is open, as a person does who looks at the queue from time to time. */
  async #approve() {
    while (this.#approving) {
      await this.#approveAll();
      await pause(1_000);
    }
    await this.#approveAll();
  }

  async #approveAll() {
    const as = { key: this.credentials.admin.api_key };
    const list = await this.insist('GET', '/api/v1/approvals?status=pending&limit=200', 200, as);
    for (const { id } of list.approvals) {
      // 409: it was approved by a try whose answer was lost.
      await this.insist('POST', `/api/v1/approvals/${id}/approve`, [200, 409], { ...as, body: {} });
    }
  }

  #fail(what, why) {
    if (this.fault?.test(why)) this.mended++;
    else this.failed++;
    this.tell(what, why);
  }

  /** Asks until the answer is good, with the same id; every other answer counts as failed. */
  async insist(method, path, wanted, { body, headers = {}, key = this.credentials.agent.api_key } = {}) {
    const good = [wanted].flat();
    const sent = { 'x-al-event-id': randomUUID(), ...headers };
    for (let tries = 0; tries < 200; tries++) {
      this.requests++;
      try {
        const answer = await this.#send(method, path, { body, headers: sent, key });
        if (good.includes(answer.code)) return answer.body;
        this.#fail(`${method} ${path}`, `${String(answer.code)} ${JSON.stringify(answer.body)}`);
      } catch (error) {
        this.#fail(`${method} ${path}`, `${error.code ?? ''} ${error.message}`);
      }
      await pause(100);
    }
    throw new Error(`${method} ${path} was never answered as wanted`);
  }

  #send(method, path, { body, headers, key }) {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const sent = request(
        this.baseUrl + path,
        {
          ...{ method, agent: this.#connections, timeout: 60_000 },
          headers: {
            authorization: `Bearer ${key}`,
            ...(text === undefined
              ? {}
              : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
            ...headers,
          },
        },
        (response) => {
          let got = '';
          response.setEncoding('utf8');
          response.on('data', (chunk) => (got += chunk));
          response.once('error', reject);
          response.once('end', () => {
            try {
              resolve({ code: response.statusCode, body: JSON.parse(got) });
            } catch (error) {
              reject(error);
            }
          });
        },
      );
      sent.once('timeout', () => sent.destroy(new Error('no answer within 60 s')));
      sent.once('error', reject);
      sent.end(text);
    });
  }
}
