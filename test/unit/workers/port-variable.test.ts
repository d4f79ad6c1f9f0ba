import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { portVariableOf } from '../../../supervisor/workers/port-variable.ts'

describe('workers/port-variable', () => {
  for (const [command, variable] of [
    ['flask --app shop --debug run', 'FLASK_RUN_PORT'],
    ['/srv/venv/bin/flask run', 'FLASK_RUN_PORT'],
    ['python3.11 -m flask --app shop run --host 0.0.0.0', 'FLASK_RUN_PORT'],
    ['flask run --port $PORT', 'FLASK_RUN_PORT'],
    ['flask run --port 5000', undefined],
    ['flask run -p5000', undefined],
    ['flask --app shop routes', undefined],
    ['python3 flask run', undefined],
    ['gunicorn --bind fd://3 flask:run', undefined],
  ] as const)
    it(`of ${command} is ${variable}`, () => assert.equal(portVariableOf(command.split(' ')), variable))
})
