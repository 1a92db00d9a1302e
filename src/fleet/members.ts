import type { Manifest, ServiceSpec } from '../config/service-spec.ts';
import { messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';
import { ExternalService } from './external-service.ts';
import type { Member } from './member.ts';
import type { Publisher } from './publisher.ts';
import { Service } from './service/service.ts';

export interface MembersTools {
  readonly log: Logger;
  readonly publisher: Publisher;
  readonly create: (spec: ServiceSpec) => Member;
  /** Somebody joined or changed; the data halves know. */
  readonly onChanged: (member: Member) => void;
  /** Somebody left; the data halves know. */
  readonly onLeft: (name: string) => void;
}

export interface MembersChange {
  readonly added: string[];
  readonly changed: string[];
  readonly removed: string[];
}

/** Who belongs to the fleet, by name. Follows the manifest: what did not change in it is left alone. */
export class Members {
  readonly #tools: MembersTools;
  readonly #members = new Map<string, Member>();
  /** The names whose instances are still draining after they left the manifest. */
  readonly #leaving = new Set<string>();
  /** The version that took a member from the data half, which says nothing more about it in later ones. */
  readonly #leftIn = new WeakMap<Member, number>();

  constructor(tools: MembersTools) {
    this.#tools = tools;
  }

  get all(): readonly Member[] {
    return [...this.#members.values()];
  }

  get services(): readonly Service[] {
    return this.all.filter((member) => member instanceof Service);
  }

  get(name: string): Member | undefined {
    return this.#members.get(name);
  }

  /** Undefined for one that others run, too. */
  service(name: string): Service | undefined {
    const member = this.#members.get(name);
    return member instanceof Service ? member : undefined;
  }

  isLeaving(name: string): boolean {
    return this.#leaving.has(name);
  }

  add(spec: ServiceSpec): void {
    const member = this.#tools.create(spec);
    this.#members.set(spec.name, member);
    this.changed(member);
  }

  /** The one place that hears of every change of a member. @returns the fleet version that shows it */
  changed(member: Member): number {
    const { publisher, onChanged } = this.#tools;
    if (!this.#has(member)) return this.#leftIn.get(member) ?? publisher.version;
    const version = publisher.publish(member);
    onChanged(member);
    return version;
  }

  /** The same for what only those see who wait: many changes in a row are told as one. */
  progressed(member: Member): void {
    if (this.#has(member)) this.#tools.publisher.publishSoon(member);
  }

  /** @returns what changed, and when those who left are gone */
  follow(manifest: Manifest): { change: MembersChange; gone: Promise<unknown> } {
    const removed = [...this.#members.keys()].filter((name) => !manifest.has(name));
    const added = [...manifest.values()].filter(({ name }) => !this.#members.has(name));
    const changed = [...manifest.values()].filter((spec) => this.#differs(spec));
    const leaving = removed.map((name) => this.#remove(name));
    for (const spec of changed) this.#update(spec, leaving);
    for (const spec of added) this.add(spec);
    const names = (specs: readonly ServiceSpec[]): string[] => specs.map(({ name }) => name);
    return { change: { added: names(added), changed: names(changed), removed }, gone: Promise.all(leaving) };
  }

  #update(spec: ServiceSpec, leaving: Promise<void>[]): void {
    const { name } = spec;
    const member = this.#members.get(name);
    const sameKind = member && member instanceof ExternalService === (spec.source.kind === 'url');
    if (!sameKind) {
      leaving.push(this.#remove(name));
      this.add(spec);
      return;
    }
    member.update(spec).catch((error: unknown) => {
      this.#tools.log.warn({ service: name, err: error }, `${name} keeps its old instances: ${messageOf(error)}`);
    });
  }

  async #remove(name: string): Promise<void> {
    const member = this.#members.get(name);
    this.#members.delete(name);
    const version = this.#tools.publisher.publishRemoved(name);
    this.#tools.onLeft(name);
    if (!member) return;
    this.#leftIn.set(member, version);
    this.#leaving.add(name);
    await member.dispose().catch((error: unknown) => {
      this.#tools.log.warn({ service: name, err: error }, `${name} could not be removed: ${messageOf(error)}`);
    });
    this.#leaving.delete(name);
  }

  #has(member: Member): boolean {
    return this.#members.get(member.name) === member;
  }

  #differs(spec: ServiceSpec): boolean {
    const member = this.#members.get(spec.name);
    return member !== undefined && JSON.stringify(member.spec) !== JSON.stringify(spec);
  }
}
