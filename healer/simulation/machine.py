"""The VM: its power, its boot, its kernel, and what Colima keeps of it on the Mac."""

from collections.abc import Callable
from enum import Enum, auto

from healer.model.machine import Ending, Forwarder, VmStatus
from healer.simulation.clockwork import Clockwork
from healer.simulation.dockerd import Dockerd
from healer.simulation.forwards import Forwards, Way
from healer.simulation.kernel import Kernel
from healer.simulation.mac import Mac

LISTED_RUNNING_AFTER = 2.0
"""`colima list` says Running long before ssh answers (facts/colima.md §8)."""
SSH_AFTER = 9.0
"""A vz guest's sshd; 61 s under emulation, 10 to 30 s for a whole start on a Mac (§1.5)."""
FORWARDS_AFTER = 13.0
DOCKER_GONE_AFTER = 19.0
DISK_MOUNTED_AFTER = 20.0
DOCKER_BACK_AFTER = 21.0
"""Each boot starts docker on an empty folder; Colima stops it, mounts the data disk over that
folder and starts it again. An emulated one answered for a quarter of its boot without its disk."""
START_DONE_AFTER = 23.0
CLEAN_STOP_TAKES = 9.0
FORCE_STOP_TAKES = 0.5
DOCKERD_STOPS_AFTER = 1.0
"""A clean stop ends docker.service in the guest first (§1.6)."""
CLOCK_PUSHED_AFTER = 10.0
"""Lima 2.1 and newer push the Mac's time into the guest every 10 s (§5)."""

CRASH_FILES = ("ha.pid", "ha.sock", "ssh.sock", "docker.sock", "vz.pid")
"""What a power cut leaves on the Mac (§2)."""


class Guest(Enum):
    """What is the matter inside, which Colima never notices (§1.2)."""

    ALIVE = auto()
    HUNG = auto()
    """Accepts and never answers."""
    DEAD = auto()
    """Its kernel is dead: everything refuses."""


class Machine:
    """The VM. Its driver is a process of its own, so it may outlive its hostagent.

    So it is with QEMU and krunkit; with vz one process is both, and ends as `power_cut`.
    """

    def __init__(
        self, clock: Clockwork, mac: Mac, kernel: Kernel, forwards: Forwards, dockerd: Dockerd
    ) -> None:
        self.clock = clock
        self.mac = mac
        self.forwards = forwards
        self.dockerd = dockerd
        self.kernel = kernel
        self.created = True
        self.on = False
        self.guest = Guest.ALIVE
        self.hostagent = False
        """It lives."""
        self.hostagent_hangs = False
        """It lives and answers nobody, nor do the ports that it forwards itself."""
        self.usernet = Way.OPEN
        """The VM's network: all of ssh goes through it, and so does the mux."""
        self.listed = VmStatus.STOPPED
        self.booted_at = 0.0
        self.ssh = False
        self.ready = False
        """Lima's boot is over."""
        self.ssh_port = 41_000
        self.pid = 12_000
        self.life = 0
        """Counts power-ons and ends: an event of an earlier life is void."""
        self.leftovers: tuple[str, ...] = ()
        self.leftovers_stale = False
        self.logged_at = 0.0
        """When the hostagent last wrote its log."""
        self.ending = Ending.UNKNOWN
        """What it wrote of its end."""
        self.disk_locked = False
        """`in_use_by` stays after an unclean end, and Lima before 2.1.1 minds it (§5)."""
        self.disk_used = 0.41
        """Used share of the disk that holds Docker's data; the root's is another."""
        self.clock_behind = 0.0
        """Seconds by which the guest's wall clock is behind the Mac's."""
        self.dies_after: float | None = None
        """Seconds of uptime after which it crashes, each time."""
        self.file = 0
        """Counts what happened to ha.pid as a file."""

    @property
    def alive(self) -> bool:
        """Whether sshd answers for a guest that lives."""
        return self.ssh and self.guest is Guest.ALIVE

    @property
    def answers(self) -> bool:
        """Whether the hostagent answers on ha.sock."""
        return self.hostagent and not self.hostagent_hangs

    def to_ssh(self) -> Way:
        """What a direct ssh meets."""
        if not self.ssh or self.guest is Guest.DEAD:
            return Way.REFUSED
        if self.usernet is not Way.OPEN:
            return self.usernet
        return Way.SILENT if self.guest is Guest.HUNG else Way.OPEN

    def to_socket(self) -> Way:
        """What a connect to docker.sock meets."""
        return self._inside(self.forwards.to_socket(), by_ssh=True)

    def to_port(self, port: int) -> Way:
        """What a connect to a published port meets, until it is in the VM."""
        by_ssh = self.forwards.kind is Forwarder.SSH
        if not by_ssh and not self.answers:
            return Way.SILENT if self.hostagent else Way.REFUSED
        return self._inside(self.forwards.to_port(port), by_ssh=by_ssh)

    def _inside(self, way: Way, *, by_ssh: bool) -> Way:
        """A listener on the Mac outlives what it leads to: it accepts, and nothing comes back."""
        if way is not Way.OPEN:
            return way
        if by_ssh and self.usernet is not Way.OPEN:
            return Way.SILENT
        if self.guest is Guest.ALIVE:
            return way
        return Way.SILENT if self.guest is Guest.HUNG else Way.REFUSED

    def uptime(self) -> float:
        """Seconds since it was switched on."""
        return self.clock.at - self.booted_at

    # Power.

    def power_on(self) -> None:
        """A start of the VM, in the phases that were seen on a real one (§8)."""
        self.life += 1
        self.pid += 7
        self.file += 1
        self.on = self.hostagent = True
        self.hostagent_hangs, self.usernet = False, Way.OPEN
        self.guest, self.ready = Guest.ALIVE, False
        self.booted_at = self.logged_at = self.clock.at
        self.ending = Ending.UNKNOWN
        self.ssh_port += 17
        self.clock_behind = 0.0
        self.kernel.boot()
        self.dockerd.boots()
        self.leftovers, self.leftovers_stale = (), False
        self.mac.usernets += 1
        self.in_life(LISTED_RUNNING_AFTER, self._listed_running)
        self.in_life(SSH_AFTER, self._ssh_up)
        self.in_life(FORWARDS_AFTER, self._forwards_up)
        self.in_life(DOCKER_GONE_AFTER, self.dockerd.provisioned)
        self.in_life(DISK_MOUNTED_AFTER, self.dockerd.mounted)
        self.in_life(DOCKER_BACK_AFTER, self._docker_back)
        self.in_life(START_DONE_AFTER, self._start_done)

    def in_life(self, seconds: float, happen: Callable[[], None]) -> None:
        """Let something happen later, if the VM still runs this very life and is not frozen."""
        life = self.life

        def unless_dead() -> None:
            if self.on and self.life == life and self.guest is not Guest.HUNG:
                happen()

        self.clock.after(seconds, unless_dead)

    def _listed_running(self) -> None:
        self.listed = VmStatus.RUNNING

    def _ssh_up(self) -> None:
        self.ssh = True
        self.clock.tell("the VM's ssh answers")

    def _forwards_up(self) -> None:
        self.forwards.made()
        self.dockerd.comes_up()

    def _docker_back(self) -> None:
        self.dockerd.comes_up()
        self.clock.tell("docker answers in the VM")

    def _start_done(self) -> None:
        self.ready = True
        self.logged_at = self.clock.at
        if self.dies_after is not None:
            self.in_life(self.dies_after, self._crash)

    def _crash(self) -> None:
        self.driver_dies()
        self.clock.tell("the VM has crashed")

    def power_cut(self) -> None:
        """Everything in the VM is gone at once; files on the Mac stay (§2)."""
        self._lose(killed=True)
        self.leftovers = CRASH_FILES

    def driver_dies(self) -> None:
        """The VM alone is gone; the hostagent notices, writes it down, and cleans up."""
        self._lose(killed=True)
        self.leftovers, self.ending = (), Ending.CRASHED

    def clean_stop(self) -> None:
        """The end of `colima stop`; what ran in the VM was ended a moment before."""
        self._lose(killed=False)
        self.leftovers, self.ending = (), Ending.TOLD

    @property
    def wall(self) -> float:
        """What the guest takes for the time; epoch seconds."""
        return self.clock.wall() - self.clock_behind

    def ago(self, at: float | None) -> float | None:
        """The age of what the guest noted at that time of the clock of `now`."""
        return None if at is None else max(0.0, self.wall - self.clock.wall(at))

    def force_stop(self) -> None:
        """`colima stop --force` clears the instance folder, not docker.sock (§1.6)."""
        self._lose(killed=True)
        self.leftovers = ("docker.sock",)
        self.disk_locked = False

    def _lose(self, *, killed: bool) -> None:
        self.on = self.ssh = self.ready = self.hostagent = self.hostagent_hangs = False
        self.listed, self.logged_at = VmStatus.STOPPED, self.clock.at
        self.life += 1
        self.file += 1
        self.mac.usernets = max(0, self.mac.usernets - (0 if killed else 1))
        self.forwards.gone()
        self.dockerd.gone()

    def begin_stop(self) -> bool:
        """`colima stop` of a running VM; False when it hangs on a hung guest (§1.6)."""
        if self.guest is Guest.HUNG:
            return False
        self.clock.tell("colima stop: the VM is going down")
        self.in_life(DOCKERD_STOPS_AFTER, self.dockerd.shut_down)
        life = self.life

        def ended() -> None:
            if self.on and self.life == life:
                self.clean_stop()

        self.clock.after(CLEAN_STOP_TAKES, ended)
        return True

    def refusal(self) -> str:
        """Why a start cannot succeed, in limactl's words; '' when it can."""
        if self.listed is VmStatus.BROKEN:
            return "errors inspecting instance: [failed to get Info from ha.sock]"
        if self.on:
            return "instance seems running (hint: remove ha.pid)"
        if self.disk_locked:
            return 'failed to run attach disk "colima", in use by instance "colima"'
        return ""

    # What goes wrong with it.

    def sicken(self, guest: Guest) -> None:
        """What is inside hangs or dies; list and hostagent say all is well (§8)."""
        self.guest = guest
        self.dockerd.box.talos.life.end()
        self.clock.tell(f"the guest is {guest.name.lower()}")

    def lose_hostagent(self) -> None:
        """The hostagent alone dies: Broken, and the VM goes on; ports by grpc end with it (§8)."""
        self.hostagent, self.hostagent_hangs, self.listed = False, False, VmStatus.BROKEN
        self.file += 1
        self.clock.tell("the hostagent is dead, the VM goes on")

    def hang_hostagent(self) -> None:
        """It is frozen: Broken, and the VM goes on; ports by grpc accept and are silent."""
        self.hostagent_hangs, self.listed = True, VmStatus.BROKEN
        self.clock.tell("the hostagent is frozen, the VM goes on")

    def lose_usernet(self, way: Way) -> None:
        """usernet is dead or frozen, and with it ssh and the mux; ports by grpc go on."""
        self.usernet = way
        self.clock.tell("usernet is dead" if way is Way.REFUSED else "usernet is frozen")

    def break_by_stale_files(self) -> None:
        """Pid files of the life before name strangers' processes: Broken for ever (§2)."""
        logged_at = self.logged_at
        self.power_cut()
        self.logged_at = logged_at
        self.listed, self.leftovers_stale = VmStatus.BROKEN, True
        self.clock.tell("pid files of the life before name strangers: Broken")

    def be_listed(self) -> None:
        """A look by Lima deletes the pid files of dead processes itself (§1.2)."""
        if not self.on and self.listed is VmStatus.STOPPED:
            self.leftovers = tuple(one for one in self.leftovers if not one.endswith(".pid"))

    def clean_stale(self) -> tuple[str, ...]:
        """Take away what is proven stale; `list` then says Stopped."""
        removed, self.leftovers = self.leftovers, ()
        self.leftovers_stale = False
        self.file += 1
        if self.listed is VmStatus.BROKEN and not self.on:
            self.listed = VmStatus.STOPPED
        return removed

    def fall_behind(self, seconds: float) -> None:
        """Its wall clock stood still, or the Mac's was set; Lima mends it soon (§5)."""
        self.clock_behind += seconds

        def pushed() -> None:
            self.clock_behind = 0.0

        self.clock.after(CLOCK_PUSHED_AFTER, pushed)
