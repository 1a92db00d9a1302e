import type {
  ActivityReport,
  BreakerReport,
  ControlConnection,
  ControlLink,
  PeerNews,
  SessionReport,
  VerdictReport,
  WaitingReport,
  WakeTimings,
} from '../seam/control-link.ts';
import type { FleetUpdate } from '../seam/fleet-view.ts';
import type { TrafficReport } from '../seam/traffic-report.ts';
import type { ActivityBoard } from './activity-board.ts';
import type { Peers } from './peers.ts';

export interface ConnectionTools {
  readonly fleet: Pick<ControlLink, 'subscribe' | 'wake' | 'suspect'>;
  readonly activity: ActivityBoard;
  readonly peers: Peers;
  readonly onSessions: (reports: readonly SessionReport[]) => void;
  readonly onTraffic: (report: TrafficReport) => void;
}

/** The fleet as one data half among several has it: counts are its own, all else is shared. */
export class Connection implements ControlConnection {
  readonly #dataHalf: string;
  readonly #tools: ConnectionTools;
  readonly #waysOut = new Set<() => void>();
  #closed = false;

  constructor(dataHalf: string, tools: ConnectionTools) {
    this.#dataHalf = dataHalf;
    this.#tools = tools;
    tools.activity.join(dataHalf);
  }

  /** In one process the halves are there together. */
  get away(): boolean {
    return false;
  }

  untilBack(): Promise<void> {
    return Promise.resolve();
  }

  subscribe(listener: (update: FleetUpdate) => void): () => void {
    const wayOut = this.#tools.fleet.subscribe(listener);
    this.#waysOut.add(wayOut);
    return wayOut;
  }

  wake(service: string): Promise<WakeTimings> {
    return this.#tools.fleet.wake(service);
  }

  suspect(service: string, instanceId: string): Promise<void> {
    return this.#tools.fleet.suspect(service, instanceId);
  }

  reportActivity(reports: readonly ActivityReport[]): void {
    if (!this.#closed) this.#tools.activity.record(this.#dataHalf, reports);
  }

  reportSeen(version: number): void {
    if (!this.#closed) this.#tools.activity.seen(this.#dataHalf, version);
  }

  reportBreaker(report: BreakerReport): void {
    if (!this.#closed) this.#tools.peers.breaker(this.#dataHalf, report);
  }

  reportVerdict(report: VerdictReport): void {
    if (!this.#closed) this.#tools.peers.verdict(this.#dataHalf, report);
  }

  reportWaiting(report: WaitingReport): void {
    if (!this.#closed) this.#tools.peers.waiting(this.#dataHalf, report);
  }

  reportSessions(reports: readonly SessionReport[]): void {
    if (!this.#closed) this.#tools.onSessions(reports);
  }

  reportTraffic(report: TrafficReport): Promise<void> {
    if (!this.#closed) this.#tools.onTraffic(report);
    return Promise.resolve();
  }

  onPeerNews(listener: (news: PeerNews) => void): () => void {
    return this.#tools.peers.listen(this.#dataHalf, listener);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const wayOut of this.#waysOut) wayOut();
    this.#tools.peers.leave(this.#dataHalf);
    this.#tools.activity.leave(this.#dataHalf);
  }
}
