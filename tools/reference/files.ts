import { cliPage } from './cli-page.ts'
import { configurationPage } from './configuration-page.ts'
import { jsonSchema } from './json-schema.ts'

/** Generated files of docs/reference/: text by path in the repository. */
export async function referenceFiles(home: string): Promise<Map<string, string>> {
  return new Map([
    ['docs/reference/configuration.md', configurationPage()],
    ['docs/reference/monohull.schema.json', `${JSON.stringify(jsonSchema(), null, 2)}\n`],
    ['docs/reference/cli.md', await cliPage(home)],
  ])
}
