import { stripVTControlCharacters } from 'node:util'

/**
 * Text for a terminal without sequences that would control it, such as those in what a program printed: clients choose parts of that. Line
 * breaks and tabs stay.
 */
export function plainText(text: string): string {
  return stripVTControlCharacters(text).replace(/[^\P{Cc}\n\t]/gu, ' ')
}

/** The same in one line. */
export function plainLine(text: string): string {
  return plainText(text).replace(/[\n\t]/g, ' ')
}
