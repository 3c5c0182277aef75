"""The flow of `plain.py` in a project, with a registration in each of the many tasks."""

from metaflow import Parameter, step

from obproject import ProjectFlow


class RegisteringFlow(ProjectFlow):
    tasks = Parameter("tasks", type=int)

    @step
    def start(self):
        self.parts = list(range(self.tasks))
        self.next(self.work, foreach="parts")

    @step
    def work(self):
        self.part = self.input
        self.prj.register_data("part", "part", annotations={"place": self.part})
        self.next(self.join)

    @step
    def join(self, inputs):
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    RegisteringFlow()
