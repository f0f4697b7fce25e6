// A new version that is broken: it throws while it boots.
throw new Error('Cannot find the database')
