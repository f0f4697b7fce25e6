// What one writes with node:cluster alone: so many workers, and a new one for each that ends.
//   node cluster.js <script> <workers>
const cluster = require('node:cluster')

const [script, workers] = process.argv.slice(2)
cluster.setupPrimary({ exec: script, args: [] })
cluster.on('exit', () => cluster.fork())
for (let count = 0; count < Number(workers); count++) cluster.fork()
