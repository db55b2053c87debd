-- What the database refuses about dates: an issue before its month or beyond a quarter from now, a number dated
-- beyond that; a mistyped year would begin another series of numbers, which can never be taken back.
-- Parameters: none. Reads: nothing but the row. Writes: nothing. Locks: none. Run once, by a migration.
create or replace function billing_run_is_dated_sensibly() returns trigger language plpgsql as $$
begin
    if new.issue_date < new.month or new.issue_date > greatest((now() at time zone 'UTC')::date, new.month) + 92 then
        raise exception 'a run of % cannot be issued on %', new.month, new.issue_date using errcode = '23514';
    end if;
    return new;
end $$;
create trigger billing_run_is_dated_sensibly before insert or update of issue_date on billing_run
    for each row when (new.issue_date is not null) execute function billing_run_is_dated_sensibly();

create or replace function billing_series_is_dated_sensibly() returns trigger language plpgsql as $$
begin
    if new.last_on > (now() at time zone 'UTC')::date + 92 or extract(year from new.last_on) <> new.year then
        raise exception 'no number of % can be dated %', new.year, new.last_on using errcode = '23514';
    end if;
    return new;
end $$;
create trigger billing_series_is_dated_sensibly before insert or update of last_on on billing_numberseries
    for each row when (new.last_on is not null) execute function billing_series_is_dated_sensibly();
