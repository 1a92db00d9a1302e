/** How long so many of the messages are together; all of them, if there are fewer. */
export function lengthUpTo(messages: readonly string[], count: number): number {
  return messages.slice(0, count).join('').length;
}
