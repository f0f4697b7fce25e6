/** First name and last name, of which the last may be empty. */
export function splitName(name) {
  const [first = '', ...rest] = name.split(' ')
  return [first, rest.join(' ')]
}
