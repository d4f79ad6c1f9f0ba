// The app under load: plain Express, which knows nothing of what starts it, and has no handler for SIGTERM.
const express = require('express')

const app = express()

app.get('/', (_request, response) => {
  response.type('text').send('hello\n')
})

app.post('/', express.text({ type: '*/*' }), (request, response) => {
  response.type('text').send(`${request.body.length}\n`)
})

module.exports = app.listen(process.env.PORT || 3000)
