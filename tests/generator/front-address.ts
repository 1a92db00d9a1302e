/** How clients reach the front, over TLS. */
export interface FrontAddress {
  readonly host: string;
  readonly port: number;
  readonly ca: string;
  readonly servername: string;
}
