import { ServerResponse, type OutgoingHttpHeaders } from 'node:http';
import { FieldNames } from './field-names.ts';
import type { RawHeaders } from './client-exchange.ts';

/** Those that node:http itself goes by: how the content is framed, and whether the connection stays. */
const FOR_NODE = new FieldNames('content-length transfer-encoding connection keep-alive trailer expect');
const DATE = new FieldNames('date');

/** Fields of which nobody need check once more that they can be written as they are. */
class CheckedFields {
  /** As they go over the wire. */
  lines = '';
  readonly forNode: string[] = [];
  hasDate = false;

  constructor(fields: RawHeaders) {
    for (let at = 0; at + 1 < fields.length; at += 2) {
      const name = fields[at] ?? '';
      const value = fields[at + 1] ?? '';
      if (FOR_NODE.has(name)) this.forNode.push(name, value);
      else this.lines = this.lines + name + ': ' + value + '\r\n';
      if (DATE.has(name)) this.hasDate = true;
    }
  }
}

/** How node:http puts a head together. */
const { _storeHeader: storeHeader } = ServerResponse.prototype as unknown as {
  readonly _storeHeader: (this: ServerResponse, firstLine: string, fields: unknown) => void;
};

/** The answer to a request of HTTP/1, whose head may consist of fields that have been checked already. */
export class Answer extends ServerResponse {
  /**
   * As `writeHead`, which tests each name and each value with an expression: for the fields of a response that has come
   * through a parser as strict as that, it took as long as everything else that is done with them. What node:http has to
   * know of goes through it as ever. @param fields without any character above 0xff
   */
  writeCheckedHead(status: number, reason: string, fields: RawHeaders): void {
    const checked = new CheckedFields(fields);
    if (checked.hasDate) this.sendDate = false;
    // A Node that would not hand it on to `_storeHeader` would refuse it for its line breaks.
    this.writeHead(status, reason, checked as unknown as OutgoingHttpHeaders);
  }

  /** Called by `writeHead` of node:http. */
  protected _storeHeader(firstLine: string, fields: unknown): void {
    if (fields instanceof CheckedFields) storeHeader.call(this, firstLine + fields.lines, fields.forNode);
    else storeHeader.call(this, firstLine, fields);
  }
}
