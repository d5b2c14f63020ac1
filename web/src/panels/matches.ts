/** Return the names that hold what was typed, in either case: those that begin with it first, then those with a word
 *  that does, then the others, each in the order given. */
export function matches(names: string[], typed: string): string[] {
  const wanted = typed.toLowerCase();
  const rank = (name: string): number => {
    const at = name.toLowerCase().indexOf(wanted);
    if (at < 0) return -1;
    if (at === 0) return name.length === typed.length ? 0 : 1;
    return /[\p{L}\p{N}]/u.test(name[at - 1]) ? 3 : 2;
  };
  return names
    .map((name, order) => ({ name, order, rank: rank(name) }))
    .filter(({ rank }) => rank >= 0)
    .sort((one, other) => one.rank - other.rank || one.order - other.order)
    .map(({ name }) => name);
}
