import { Help } from 'commander'

/** Width of the terminal; 80 columns elsewhere. */
const helpWidth = () => process.stdout.columns ?? 80

/** Text wrapped at the width of the terminal, like the help around it. */
export function wrapHelp(text: string): string {
  return new Help().boxWrap(text, helpWidth())
}
