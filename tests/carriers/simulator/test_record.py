"""The record proves what happened, also when somebody was killed in the middle of a line."""

from pathlib import Path

from carriers.simulator.record import Recorder, read_record, unacknowledged


def submit(message_id: str, status: int = 0, receipt: str | None = "delivered") -> dict[str, object]:
    return {
        "event": "submit",
        "at": 100.0,
        "system_id": "acme",
        "id": message_id,
        "status": status,
        "source": "Acme",
        "destination": "60123",
        "receipt": receipt,
    }


def acknowledged(message_id: str, status: int = 0) -> dict[str, object]:
    return {"event": "acknowledged", "at": 101.0, "id": message_id, "status": status}


def written(path: Path, *events: dict[str, object]) -> Path:
    recorder = Recorder(path)
    for event in events:
        recorder.add(event)
    recorder.flush()
    recorder.close()
    return path


def test_what_was_flushed_is_read_back_in_order(tmp_path: Path) -> None:
    events = [submit("1"), submit("2"), acknowledged("1")]
    assert list(read_record(written(tmp_path / "record", *events))) == events


def test_nothing_reaches_the_file_before_the_flush(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "record")
    recorder.add(submit("1"))
    assert list(read_record(tmp_path / "record")) == []
    recorder.flush()
    assert list(read_record(tmp_path / "record")) == [submit("1")]
    recorder.close()


def test_a_line_cut_short_harms_no_other(tmp_path: Path) -> None:
    path = written(tmp_path / "record", submit("1"), submit("2"))
    path.write_bytes(path.read_bytes()[:-20])
    written(path, submit("3"))
    assert [event["id"] for event in read_record(path)] == ["1", "3"]


def test_receipts_stay_owed_until_acknowledged_for_good(tmp_path: Path) -> None:
    path = written(
        tmp_path / "record",
        submit("acknowledged"),
        submit("refused", status=0x58),
        submit("no receipt wanted", receipt=None),
        submit("put off"),
        submit("turned down"),
        submit("never sent"),
        acknowledged("acknowledged"),
        acknowledged("put off", status=0x64),
        acknowledged("turned down", status=0x0B),
    )
    owed = unacknowledged(read_record(path))
    assert [pending.message_id for pending in owed] == ["put off", "never sent"]
    assert owed[0].system_id == "acme"
    assert owed[0].outcome.stat == "DELIVRD"
