import { PATIENCE_MS } from '../../support/wire/byte-peer.ts';
import { verdict, type ConformanceCase } from '../rig/conformance-case.ts';
import type { CaseBench } from '../rig/case-bench.ts';
import { okResponse } from '../rig/case-upstream.ts';
import { statusOf, type Http1Message } from '../rig/http1-reader.ts';

const GET = 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n';

/** Two requests after another, each on a client connection of its own. */
async function twoRequests(
  bench: CaseBench,
  second: string,
  between: () => Promise<unknown>,
): Promise<{ first: Http1Message | undefined; second: Http1Message | undefined; seen: string }> {
  const one = await bench.exchange(GET);
  await between();
  const two = await bench.exchange(second);
  return { first: one.responses[0], second: two.responses[0], seen: two.seen };
}

const extra: readonly (readonly [string, string, number])[] = [
  ['at once', 'behind', 0],
  ['later', 'after', 30],
];

const unsolicited: ConformanceCase[] = extra.map(([when, word, delayMs]) => ({
  id: `unsolicited-${word}`,
  title: `A second response that nobody asked for, sent ${when}, is given to nobody`,
  reference: 'CVE-2026-48931, RFC 9112 9.2; scenario 4',
  run: async (bench) => {
    const poison = okResponse('poison');
    bench.script(({ peer, index }) => {
      if (index > 0) peer.send(okResponse('own'));
      else if (delayMs === 0) peer.send(`${okResponse('ok')}${poison}`);
      else {
        peer.send(okResponse('ok'));
        setTimeout(() => peer.send(poison), delayMs);
      }
    });
    const { second, seen } = await twoRequests(
      bench,
      GET,
      () => new Promise((resolve) => setTimeout(resolve, delayMs * 2)),
    );
    const isRight = second?.content === 'own' || (second !== undefined && statusOf(second) >= 500);
    return verdict(isRight, second?.content === 'poison' ? 'the next client got the answer of nobody' : seen);
  },
}));

/** Answers once on every connection, and closes it when the second request comes. */
function closesOnReuse(bench: CaseBench): void {
  const used = new Set<unknown>();
  bench.script(({ peer, message }) => {
    if (used.has(peer)) {
      void peer.changes.until(() => message.complete, PATIENCE_MS).then(() => peer.socket.resetAndDestroy());
      return;
    }
    used.add(peer);
    void peer.changes.until(() => message.complete, PATIENCE_MS).then(() => peer.send(okResponse('ok')));
  });
}

export const upstreamConnections: readonly ConformanceCase[] = [
  ...unsolicited,
  {
    id: 'retry-get',
    title: 'A GET on a reused connection that closes before any answer is sent once more, on a new one',
    reference: 'RFC 9110 9.2.2, RFC 9112 9.3.1; scenario 30',
    run: async (bench) => {
      closesOnReuse(bench);
      const { second, seen } = await twoRequests(bench, GET, () => Promise.resolve());
      const { requests } = bench.upstream;
      return verdict(
        second !== undefined && statusOf(second) === 200,
        `${seen}; ${requests.length - 1} times upstream`,
      );
    },
  },
  {
    id: 'no-retry-post',
    title: 'A POST in the same case reaches the upstream at most once',
    reference: 'RFC 9110 9.2.2; scenario 30',
    run: async (bench) => {
      closesOnReuse(bench);
      const post = 'POST /pay HTTP/1.1\r\nHost: app.test\r\nContent-Length: 4\r\n\r\npaid';
      const { seen } = await twoRequests(bench, post, () => Promise.resolve());
      const paid = bench.upstream.requests.filter(({ path }) => path === '/pay').length;
      return verdict(paid <= 1 && !seen.startsWith('no answer'), `${seen}; ${paid} times upstream`);
    },
  },
  {
    id: 'early-answer',
    title: 'An answer to an upload that goes on reaches the client, and the connection serves nothing as its rest',
    reference: 'RFC 9112 9.3, 9.6',
    run: async (bench) => {
      bench.script(({ peer, index }) =>
        peer.send(
          index === 0 ? 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 6\r\n\r\nenough' : okResponse('own'),
        ),
      );
      const first = await bench.exchange(
        `POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1000000\r\n\r\n${'a'.repeat(400_000)}`,
        { timeoutMs: PATIENCE_MS },
      );
      const second = await bench.exchange(GET);
      const isRight = first.responses[0]?.content === 'enough' && second.responses[0]?.content === 'own';
      return verdict(isRight, `${first.seen}; then ${second.seen}`);
    },
  },
  {
    id: 'upstream-half-close',
    title: 'Content without a length ends with the connection of the upstream',
    reference: 'RFC 9112 6.3',
    run: async (bench) => {
      bench.script(({ peer }) => {
        peer.send('HTTP/1.1 200 OK\r\n\r\nall of it');
        peer.socket.end();
      });
      const { responses, seen } = await bench.exchange(GET);
      return verdict(responses[0]?.complete === true && responses[0].content === 'all of it', seen);
    },
  },
  {
    id: 'upstream-reset-unframed',
    title: 'Content without a length that ends in a reset is not a whole answer',
    reference: 'RFC 9112 8',
    run: async (bench) => {
      bench.script(({ peer }) => {
        peer.send('HTTP/1.1 200 OK\r\n\r\nhalf of it');
        setTimeout(() => peer.socket.resetAndDestroy(), 30);
      });
      const { responses, client, seen } = await bench.exchange(GET, { timeoutMs: PATIENCE_MS });
      return verdict(client.gone && responses[0]?.complete !== true, seen);
    },
  },
  {
    id: 'upstream-reset-unframed-h2',
    title: 'The same over HTTP/2 is a reset of the stream',
    reference: 'RFC 9113 8.1, RFC 9112 8',
    http2: true,
    run: async (bench) => {
      bench.script(({ peer }) => {
        peer.send('HTTP/1.1 200 OK\r\n\r\nhalf of it');
        setTimeout(() => peer.socket.resetAndDestroy(), 30);
      });
      const answer = await bench.ask2({ timeoutMs: PATIENCE_MS });
      return verdict(!answer.ended && answer.code !== undefined && answer.code > 0, answer.seen);
    },
  },
];
