import { checkCsrf, refuseCrossSite } from './cross-site.js';
import { csrfTokenOf, sessionTokenOf } from './session-cookie.js';

const token = `al_ses_${'a'.repeat(43)}`;
const other = `al_ses_${'b'.repeat(43)}`;
const host = '127.0.0.1:3000';

describe('requests of pages', () => {
  it.each<[Record<string, string>, boolean]>([
    [{}, true],
    [{ 'sec-fetch-site': 'same-origin' }, true],
    [{ 'sec-fetch-site': 'none' }, true],
    [{ 'sec-fetch-site': 'same-site' }, false],
    [{ 'sec-fetch-site': 'cross-site' }, false],
    [{ 'sec-fetch-site': 'anything' }, false],
    [{ origin: `http://${host}` }, true],
    [{ origin: `https://${host}` }, true],
    [{ origin: 'http://127.0.0.1:3001' }, false],
    [{ origin: 'https://evil.example' }, false],
    [{ origin: 'null' }, false],
    [{ origin: '' }, false],
  ])('with %j are of this site: %s', (headers, isOwn) => {
    const look = () => refuseCrossSite({ headers: { host, ...headers } });
    if (isOwn) expect(look).not.toThrow();
    else expect(look).toThrow(expect.objectContaining({ code: 'CSRF' }));
  });

  it('behind a trusted proxy are of the host that it forwards', () => {
    const headers = { host: 'gateway:3000', origin: 'https://approvals.example.com' };
    expect(() => refuseCrossSite({ headers, host: 'approvals.example.com' })).not.toThrow();
    expect(() => refuseCrossSite({ headers, host: 'gateway:3000' })).toThrow();
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'QUERY'])('%s needs the token of its own session', (method) => {
    const look = (sent?: string) => () =>
      checkCsrf(
        { method, headers: { host, ...(sent === undefined ? {} : { 'x-csrf-token': sent }) } },
        token,
      );
    expect(look(csrfTokenOf(token))).not.toThrow();
    for (const sent of [undefined, '', token, csrfTokenOf(other), `${csrfTokenOf(token)}x`])
      expect(look(sent)).toThrow(expect.objectContaining({ code: 'CSRF' }));
  });

  it.each(['GET', 'HEAD'])('%s needs none', (method) =>
    expect(() => checkCsrf({ method, headers: { host } }, token)).not.toThrow(),
  );
});

it.each([
  [`__Host-al_session=${token}`, token],
  [`a=b; __Host-al_session=${token}; c=d`, token],
  [`__Host-al_session=${token}; __Host-al_session=${other}`, undefined],
  [`x__Host-al_session=${token}`, undefined],
  [`__Host-al_session=${token}x`, undefined],
  ['__Host-al_session=al_op_aaaa', undefined],
  [undefined, undefined],
])('the cookie header %j holds the session %j', (cookie, found) =>
  expect(sessionTokenOf({ headers: cookie === undefined ? {} : { cookie } })).toBe(found),
);
