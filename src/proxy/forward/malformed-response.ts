/** A response that is not HTTP/1, or whose end two parsers could see in different places. */
export class MalformedResponse extends Error {}
