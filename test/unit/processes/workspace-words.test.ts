import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { namesWorkspace } from '../../../supervisor/processes/workspace-words.ts'

describe('processes/workspace-words', () => {
  for (const command of [
    ...[
      'npm start -w web',
      'npm -w web start',
      'npm run dev --workspace=web',
      'npm run dev -ws',
      'npm --prefix web start',
    ],
    ...[
      'pnpm --filter web dev',
      'pnpm -C web start',
      'pnpm -r dev',
      'yarn workspace web start',
      'yarn --cwd web start',
    ],
  ]) {
    const [manager = '', ...words] = command.split(' ')
    it(`finds the other directory of ${command}`, () => assert.equal(namesWorkspace(manager, words), true))
  }

  for (const command of [
    ...['npm start', 'npm run dev -- -w 2', 'npm run dev --silent', 'pnpm dev', 'pnpm dev -r', 'pnpm --silent dev'],
    ...['yarn start', 'yarn start --cwd x'],
  ]) {
    const [manager = '', ...words] = command.split(' ')
    it(`finds none in ${command}`, () => assert.equal(namesWorkspace(manager, words), false))
  }
})
