"""Publishing one more port of the container, on a human's request: `healer ports add`.

Here live the look before it, the runner of its steps, the roll-back and the recovery, over the
protocols of `asking.py`. What a step is, is data in `model/hot_add.py`; what is written is
computed in `model/port_edit.py`. No file, no process and no socket is touched from here.
"""
