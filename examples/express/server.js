import express from 'express'

const app = express()
app.use(express.json())

app.get('/', (request, response) => {
  response.json({ hello: 'world', process: process.pid })
})

// The supervisor asks each new process for this before it gets any traffic.
app.get('/readyz', (request, response) => {
  response.sendStatus(200)
})

app.listen(process.env.PORT ?? 3000)
