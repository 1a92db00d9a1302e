import type { ServerResponse } from 'node:http';
import type { RawHeaders } from './client-exchange.ts';
import type { FieldList } from './field-list.ts';
import { FieldNames } from './field-names.ts';

/** Those that node:http itself goes by: how the content is framed, and whether the connection stays. */
const FOR_NODE = new FieldNames('content-length transfer-encoding connection keep-alive trailer expect');
const DATE = new FieldNames('date');

/**
 * Writes a head like `writeHead`, but does not test each name and each value once more, which for fields that have come
 * through a parser as strict as that takes as long as all else that is done with them. What node:http has to know of goes
 * through it as ever.
 * @param passed come ahead of the others, and say nothing that node:http has to know but for Date
 * @param fields checked, as `passed` are: names are tokens, values have neither control characters nor any above 0xff (RFC 9110 5.5)
 */
export function writeCheckedHead(
  response: ServerResponse,
  status: number,
  reason: string,
  fields: RawHeaders,
  passed?: FieldList,
): void {
  const forNode: string[] = [];
  let lines = passed?.lines ?? '';
  if (passed?.hasDate === true) response.sendDate = false;
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = fields[at] ?? '';
    const value = fields[at + 1] ?? '';
    if (FOR_NODE.has(name)) forNode.push(name, value);
    else lines = lines + name + ': ' + value + '\r\n';
    if (DATE.has(name)) response.sendDate = false;
  }
  response.writeHead(status, reason, forNode);
  insert(response as unknown as WithHead, `HTTP/1.1 ${status} ${reason}\r\n`.length, lines);
}

/** What node:http has made of a head, to be sent with the first content. */
interface WithHead {
  _header: unknown;
}

/** @param at behind the line of the status, so that the fields stay in their order */
function insert(response: WithHead, at: number, lines: string): void {
  const { _header: head } = response;
  if (typeof head !== 'string' || !head.startsWith('\r\n', at - 2))
    throw new Error('this Node makes heads in another way');
  response._header = head.slice(0, at) + lines + head.slice(at);
}
