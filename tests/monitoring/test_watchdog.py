"""The real cluster, killed in the ways that were found to freeze it, and the watchdog that brings it back."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.world import World, all_gone, below, kill_9

pytestmark = pytest.mark.xdist_group("clusters")


def is_answered(world: World, cluster: str = "money") -> bool:
    return bool(world.value("select count(*) from monitoring_heartbeat where cluster = %s", cluster))


def forget_beats(world: World) -> None:
    world.sql("delete from monitoring_heartbeat")


def idle_workers(pid: int) -> list[psutil.Process]:
    return below(pid, " idle")


def make_deaf(cluster: int) -> None:
    """Kill the idle worker that holds the read lock of the cluster's queue: the one that waits in read()."""
    for worker in idle_workers(cluster):
        if "pipe_read" in Path(f"/proc/{worker.pid}/wchan").read_text():
            kill_9(worker.pid)
            return
    raise AssertionError("no idle worker waits for the queue")


def wait_for_workers(world: World, pid: int) -> None:
    world.wait_until(lambda: len(idle_workers(pid)) == 2, seconds=30, what="two idle workers")


def test_a_cluster_works_and_nothing_of_it_outlives_its_main_process(world: World) -> None:
    cluster = world.start("cluster", "money")
    wait_for_workers(world, cluster.pid)
    world.manage("clock", "--once")
    world.wait_until(lambda: is_answered(world) and is_answered(world, "tick"), what="a beat and a tick")
    family = [process.pid for process in below(cluster.pid)]
    assert len(family) >= 5, "sentinel, two workers, monitor and pusher"
    kill_9(cluster.pid)
    assert all_gone(family, seconds=5), "no worker lives on without its guard"


def test_a_deaf_cluster_stays_deaf_without_a_watchdog(world: World) -> None:
    cluster = world.start("cluster", "money")
    wait_for_workers(world, cluster.pid)
    make_deaf(cluster.pid)
    wait_for_workers(world, cluster.pid)  # a new worker is there, and all look alive
    world.manage("clock", "--once")
    time.sleep(5)
    assert not is_answered(world), "negative control: if this fails, the watchdog has nothing left to do"


def test_the_watchdog_restarts_a_deaf_cluster(world: World) -> None:
    argv = (sys.executable, "manage.py", "cluster", "money")
    watchdog = world.start("watchdog", "--cluster", "money", "--seconds", "4", "--every", "0.5", "--", *argv)
    world.wait_until(lambda: is_answered(world), what="the first beat")
    (cluster,) = [process for process in psutil.Process(watchdog.pid).children() if process.is_running()]
    wait_for_workers(world, cluster.pid)
    make_deaf(cluster.pid)
    world.wait_until(lambda: not psutil.pid_exists(cluster.pid), seconds=60, what="the end of the deaf cluster")
    forget_beats(world)
    world.wait_until(lambda: is_answered(world), seconds=60, what="a beat of the new cluster")
    assert "has answered nothing for 4 s; ending it" in world.log("watchdog")
    started = [process.pid for process in below(watchdog.pid)]
    watchdog.send_signal(signal.SIGTERM)
    assert watchdog.wait(20) == 0
    assert all_gone(started, seconds=1)


def test_the_supervisor_and_the_watchdog_of_all_workers_do_it_together(world: World) -> None:
    workers = world.start("workers")
    world.wait_until(lambda: is_answered(world) and is_answered(world, "mail"), seconds=60, what="the first beats")
    pid = int((world.home / "pids" / "money.pid").read_text())
    watchdog = int((world.home / "pids" / "watchdog.pid").read_text())
    kill_9(watchdog)  # the default patience is a minute; a watchdog of our own has less
    world.start("watchdog", "--cluster", "money", "--seconds", "4", "--every", "0.5", name="impatient")
    wait_for_workers(world, pid)
    make_deaf(pid)
    world.wait_until(lambda: int((world.home / "pids" / "money.pid").read_text()) != pid, seconds=60, what="a restart")
    forget_beats(world)
    world.wait_until(lambda: is_answered(world), seconds=60, what="a beat of the new cluster")
    everything = [process.pid for process in below(workers.pid)]
    kill_9(workers.pid)
    assert all_gone(everything, seconds=10)


def test_a_busy_cluster_is_not_taken_for_deaf(world: World) -> None:
    argv = (sys.executable, "manage.py", "cluster", "money")
    watchdog = world.start("watchdog", "--cluster", "money", "--seconds", "3", "--every", "0.5", "--", *argv)
    world.wait_until(lambda: is_answered(world), what="the first beat")
    (cluster,) = psutil.Process(watchdog.pid).children()
    script = "from django_q.tasks import async_task\nfor _ in range(2): async_task('time.sleep', 8, cluster='money')"
    world.manage("shell", "-c", script)
    world.wait_until(lambda: len(below(cluster.pid, " processing ")) == 2, what="two busy workers")
    time.sleep(7)
    assert cluster.is_running() and "ending it" not in world.log("watchdog")


def test_two_sets_of_workers_are_refused(world: World) -> None:
    first = world.start("workers")
    world.wait_until(lambda: (world.home / "workers.lock").exists() and (world.home / "workers.lock").read_text())
    second = world.manage("workers", check=False)
    assert (second.returncode, second.stderr.count("\n")) == (1, 1)
    assert f"already running here (process {first.pid})" in second.stderr


def test_the_clock_outlives_a_database_that_is_away(world: World, tmp_path: Path) -> None:
    nowhere = f"postgres://vault:vault@/vault?host={tmp_path}&port=5432"
    clock: subprocess.Popen[bytes] = world.start("clock", "--every", "0.1", DATABASE_URL=nowhere)
    world.wait_until(lambda: world.log("clock").count("trying again") >= 2, what="two tries")
    assert clock.poll() is None
    assert "Traceback" not in world.log("clock")
