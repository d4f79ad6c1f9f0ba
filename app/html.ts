/** Markup that is safe to insert into a page. Only `html` creates it. */
export interface Html {
  readonly markup: string
}

type Part = string | number | Html | readonly Html[]

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function toMarkup(part: Part): string {
  if (typeof part === 'object') return 'markup' in part ? part.markup : part.map(({ markup }) => markup).join('')
  return String(part).replace(/[&<>"']/g, character => entities[character] ?? '')
}

/** Template tag that escapes text but not `Html` values. Attribute values need quotes. */
export function html(template: TemplateStringsArray, ...parts: Part[]): Html {
  const markup = template.reduce((done, literal, index) => done + toMarkup(parts[index - 1] ?? '') + literal)
  return { markup }
}
