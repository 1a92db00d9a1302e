/** A text of several lines in one of them, of at most so many characters. */
export function oneLine(text: string, maxLength: number): string {
  const line = text.trim().replace(/\s*\n\s*/g, ' ');
  return line.length > maxLength ? `${line.slice(0, maxLength)}…` : line;
}
