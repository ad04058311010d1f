import { mcpOwnerOf, mcpSessionId, readMcpSession } from './mcp-session.js';

const random = '3b241101-e2bb-4255-8caf-4136c566a962';
const [mine, theirs] = ['hash of my key', 'hash of their key'];

describe('the id of an MCP session', () => {
  it.each([true, false])('says whether the client shows forms: %s', (offersForms) =>
    expect(readMcpSession(mcpSessionId({ offersForms }, mine, random), mine)).toEqual({ offersForms }),
  );

  it('is of visible ASCII, as MCP wants it', () =>
    expect(mcpSessionId({ offersForms: true }, mine, random)).toMatch(/^[\x21-\x7e]{1,200}$/));

  it('is found with its own key only', () =>
    expect(readMcpSession(mcpSessionId({ offersForms: true }, mine, random), theirs)).toBeNull());

  it('is not found once anything of it is changed', () => {
    const id = mcpSessionId({ offersForms: false }, mine, random);
    for (const changed of [
      id.replace('plain', 'forms'),
      id.replace('3b24', '3b25'),
      `${id}A`,
      id.slice(0, -1),
      '',
    ])
      expect(readMcpSession(changed, mine)).toBeNull();
  });
});

it('the owner of a call is another one for each session and each key', () => {
  const owners = [mcpOwnerOf('a', mine), mcpOwnerOf('b', mine), mcpOwnerOf('a', theirs)];
  expect(new Set(owners).size).toBe(3);
});
