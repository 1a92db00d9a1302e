/** What lies in a bag knows where; only the bag writes it. */
export interface Bagged {
  place: number;
}

/**
 * A set without order whose members come and go with every request. A `Set` makes a new table after so many deletions,
 * and each old table refers to the next one: once one of them is promoted by the garbage collector, all later ones, with
 * the requests in them, live until the next full collection.
 */
export class Bag<T extends Bagged> {
  readonly #members: T[] = [];

  get size(): number {
    return this.#members.length;
  }

  add(member: T): void {
    member.place = this.#members.length;
    this.#members.push(member);
  }

  delete(member: T): void {
    if (this.#members[member.place] !== member) return;
    const last = this.#members.pop();
    if (last === undefined || last === member) return;
    this.#members[member.place] = last;
    last.place = member.place;
  }

  /** Each member once; it may take itself out meanwhile. */
  forEach(visit: (member: T) => void): void {
    for (let at = this.#members.length - 1; at >= 0; at -= 1) {
      const member = this.#members[at];
      if (member !== undefined) visit(member);
    }
  }
}
