"""The HTTP way in: API keys, limits, batches, and an answer that means "durable".

metrics = Metrics()
commit = GroupCommit(pipeline.process, observe=metrics.group).start()
server = Server(create_app(commit, keys, clock, metrics=metrics))
base_url = server.start()
...
server.stop()  # first: requests in flight need their commit
commit.stop()
"""
