"""A run that registers once; what it keeps of that is what a catalogue is brought up to date with."""

from metaflow import step

from obproject import ProjectFlow


class KeepingFlow(ProjectFlow):
    @step
    def start(self):
        self.table = [1, 2, 3]
        self.prj.register_data("table", "table", annotations={"rows": 3})
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    KeepingFlow()
