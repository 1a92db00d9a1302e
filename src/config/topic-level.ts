/** MQTT 5 section 4.7: "/" parts levels, "+" and "#" are for subscribers, NUL and lone surrogates are malformed. */
export function topicLevelProblem(name: string): string | undefined {
  if (name === '') return 'must not be empty';
  if (/[+#/]/.test(name)) return 'must not hold "+", "#" or "/"';
  // Control characters are allowed by the letter, and refused by brokers that follow its advice.
  if (/\p{Cc}/u.test(name)) return 'must not hold a control character';
  if (/\p{Cs}/u.test(name)) return 'must be well-formed Unicode';
  return undefined;
}
