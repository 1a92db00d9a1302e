import type { ConformanceCase } from '../rig/conformance-case.ts';
import { endlessAnswers } from './endless-answers.ts';
import { hosts } from './hosts.ts';
import { http10 } from './http10.ts';
import { http2Requests } from './http2-requests.ts';
import { http2Streams } from './http2-streams.ts';
import { limits } from './limits.ts';
import { ownAnswers } from './own-answers.ts';
import { requestFields } from './request-fields.ts';
import { requestFraming } from './request-framing.ts';
import { requestSyntax } from './request-syntax.ts';
import { responses } from './responses.ts';
import { interim, streams, trailers } from './streaming.ts';
import { tls } from './tls.ts';
import { upstreamConnections } from './upstream-connections.ts';
import { webSockets } from './web-sockets.ts';

export interface CaseGroup {
  readonly title: string;
  readonly cases: readonly ConformanceCase[];
}

export const allCases: readonly CaseGroup[] = [
  { title: 'Where a request ends', cases: requestFraming },
  { title: 'How a request is written', cases: requestSyntax },
  { title: 'Whom a request is for', cases: hosts },
  { title: 'Fields on their way to the upstream', cases: requestFields },
  { title: 'Answers of the upstream', cases: responses },
  { title: 'Connections to the upstream', cases: upstreamConnections },
  { title: 'Interim answers and expectations', cases: interim },
  { title: 'Trailers and chunk extensions', cases: trailers },
  { title: 'Answers without end', cases: endlessAnswers },
  { title: 'HTTP/1.0', cases: http10 },
  { title: 'Streams, and clients that leave', cases: streams },
  { title: 'WebSockets and upgrades', cases: webSockets },
  { title: 'Slow and greedy clients', cases: limits },
  { title: 'HTTP/2 requests', cases: http2Requests },
  { title: 'HTTP/2 streams', cases: http2Streams },
  { title: 'TLS', cases: tls },
  { title: 'Answers of Reveille itself', cases: ownAnswers },
];
