import type { ControlConnection } from '../../../src/seam/control-link.ts';
import type { FleetUpdate, ServiceView, UpstreamView } from '../../../src/seam/fleet-view.ts';

/** The least that a data half does: keeps what it is told, counts what is open, and reports it as the link demands. */
export class FakeDataHalf {
  readonly updates: FleetUpdate[] = [];
  readonly #views = new Map<string, ServiceView>();
  readonly #open = new Map<string, number>();
  #link: ControlConnection | undefined;
  #version = 0;
  /** False: it hears of changes but does not answer, as a busy or distant process does. */
  reports = true;

  join(link: ControlConnection): void {
    this.#link = link;
    link.subscribe((update) => this.#apply(update));
  }

  /** Ends, as a process does that is killed. */
  leave(): void {
    this.#link?.close();
  }

  view(name: string): ServiceView {
    const view = this.#views.get(name);
    if (!view) throw new Error(`The data half knows no service ${name}.`);
    return view;
  }

  knows(name: string): boolean {
    return this.#views.has(name);
  }

  upstreams(name: string): readonly UpstreamView[] {
    return this.view(name).upstreams;
  }

  /** The ids of the instances that may be picked now. */
  offered(name: string): string[] {
    return this.upstreams(name).map(({ id }) => id);
  }

  /** Begins a request on an instance (the first that is offered). Returns its end. */
  request(service: string, id = this.offered(service)[0]): () => void {
    if (id === undefined) throw new Error(`${service} offers no instance.`);
    this.#count(service, id, 1);
    return () => this.#count(service, id, -1);
  }

  /** Says again how busy an instance is, having seen all updates so far. */
  report(service: string, id: string): void {
    const inFlight = this.#open.get(id) ?? 0;
    this.#link?.reportActivity([{ service, instanceId: id, inFlight, seenVersion: this.#version }]);
  }

  #count(service: string, id: string, by: number): void {
    this.#open.set(id, (this.#open.get(id) ?? 0) + by);
    if (this.reports) this.report(service, id);
  }

  #apply(update: FleetUpdate): void {
    this.updates.push(update);
    this.#version = update.version;
    const gone = new Map(update.removed.map((name) => [name, this.#ids(name)]));
    if (update.complete) this.#views.clear();
    for (const name of update.removed) this.#views.delete(name);
    for (const view of update.services) {
      const before = this.#ids(view.name);
      this.#views.set(view.name, view);
      gone.set(view.name, [...new Set([...before, ...this.#ids(view.name)])]);
    }
    if (!this.reports) return;
    for (const [name, ids] of gone) for (const id of ids) this.report(name, id);
    this.#link?.reportSeen(update.version);
  }

  #ids(name: string): string[] {
    return (this.#views.get(name)?.upstreams ?? []).map(({ id }) => id);
  }
}
