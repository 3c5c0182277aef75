"""Many small tasks, and nothing of ours: what `registering.py` is compared with."""

from metaflow import FlowSpec, Parameter, step


class PlainFlow(FlowSpec):
    tasks = Parameter("tasks", type=int)

    @step
    def start(self):
        self.parts = list(range(self.tasks))
        self.next(self.work, foreach="parts")

    @step
    def work(self):
        self.part = self.input
        self.next(self.join)

    @step
    def join(self, inputs):
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    PlainFlow()
