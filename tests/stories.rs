//! Stories from a simulated cluster, replayed: the findings of each match what was done to it.

use crate::kubelet::Step::{Apply, Delete, Reboot, RestartKubelet, Scale, Strike};
use crate::kubelet::app::{Answer, App, End, Term};
use crate::kubelet::manifest::{Container, Controller, Handler, Port, Probe, Workload};
use crate::kubelet::truth::{Story, Truth, all_hold};
use probehound::engine::Cause::{
    Crash, DependencyDown, Exits, Hung, KilledExternally, KilledWhileStarting, NodeTrouble, NothingListening,
    OutOfMemory, ProbeCannotRun, ReportsUnhealthy, TimeoutTooShort, Unknown, WrongCommand, WrongGrpcService, WrongPath,
    WrongPort, WrongScheme,
};
use probehound::engine::{Confidence, Effect};
use probehound::kubelet::ProbeKind;

const PATH: &str = "livenessProbe.httpGet.path";

fn healthy() -> App {
    App::serving("/health")
}

fn app(app: App) -> Container {
    Container::new("app", app)
}

fn web(container: Container) -> Workload {
    Workload::deployment("web", container).replicas(2)
}

fn with_image(mut it: Workload, image: &'static str) -> Workload {
    it.containers[0].image = image;
    it
}

/// A Deployment `web` whose liveness probe requests a path from an app.
fn asks(path: &'static str, it: App) -> Workload {
    web(app(it).liveness(Probe::http(path)).readiness(Probe::http("/health")))
}

mod paths {
    use super::*;

    fn rolled_out_and_fixed(make: impl Fn(&'static str) -> Workload) -> Story {
        Story::new(420, &[(0, Apply(make("/health"))), (60, Apply(make("/v2/health"))), (200, Apply(make("/health")))])
    }

    #[test]
    fn a_wrong_path_is_rolled_out_and_taken_back() {
        rolled_out_and_fixed(|path| asks(path, healthy()))
            .truth(
                Truth::killed(&[WrongPath]).field(PATH).now("/v2/health").suggest(&["/health"]).revision(2).resolved(),
            )
            .gap(75, 150)
            .holds();
    }

    #[test]
    fn a_wrong_path_is_sure_although_the_right_one_was_asked_for_seconds() {
        Story::new(200, &[(0, Apply(asks("/health", healthy()))), (14, Apply(asks("/v2/health", healthy())))])
            .truth(Truth::killed(&[WrongPath]).field(PATH).now("/v2/health").suggest(&["/health"]).revision(2).sure())
            .holds();
    }

    #[test]
    fn a_path_that_was_never_served_is_sure_in_the_first_revision() {
        Story::new(200, &[(0, Apply(asks("/healthz", healthy())))])
            .truth(Truth::killed(&[WrongPath]).field(PATH).now("/healthz").revision(1).sure())
            .holds();
    }

    #[test]
    fn a_wrong_path_comes_pod_by_pod() {
        rolled_out_and_fixed(|path| asks(path, healthy()).replicas(3).gradual())
            .truth(
                Truth::killed(&[WrongPath]).field(PATH).now("/v2/health").suggest(&["/health"]).revision(2).resolved(),
            )
            .holds();
    }

    #[test]
    fn a_wrong_path_of_an_app_that_ignores_sigterm() {
        for term in [Term::Ignored, Term::Exits(143, 900), Term::Exits(2, 20)] {
            rolled_out_and_fixed(|path| asks(path, healthy().term(term)))
                .truth(
                    Truth::killed(&[WrongPath])
                        .field(PATH)
                        .now("/v2/health")
                        .suggest(&["/health"])
                        .revision(2)
                        .resolved(),
                )
                .holds();
        }
    }

    #[test]
    fn a_wrong_path_with_an_initial_delay_default_timing_and_a_long_grace_period() {
        let make = |path| {
            let probe = Probe::http(path).every(10).after(5);
            Apply(web(app(healthy().term(Term::Ignored)).liveness(probe)).grace(30))
        };
        Story::new(900, &[(0, make("/health")), (100, make("/v2/health")), (400, make("/health"))])
            .truth(
                Truth::killed(&[WrongPath]).field(PATH).now("/v2/health").suggest(&["/health"]).revision(2).resolved(),
            )
            .holds();
    }

    #[test]
    fn several_wrong_values_follow_one_another() {
        let steps = [
            (0, Apply(asks("/health", healthy()))),
            (60, Apply(asks("/v2/health", healthy()))),
            (150, Apply(asks("/v3/health", healthy()))),
            (260, Apply(asks("/health", healthy()))),
        ];
        let value = Truth::killed(&[WrongPath]).field(PATH).suggest(&["/health"]);
        Story::new(245, &steps).truth(value.clone().now("/v3/health").revision(3).looping()).holds();
        Story::new(500, &steps).truth(value.now("/v3/health").revision(3).resolved()).holds();
    }

    #[test]
    fn a_route_that_is_dropped_at_run_time_is_no_wrong_path() {
        all_hold([9_000, 20_000, 45_000, 100_000].map(|after| (after, drops_its_route(after))));
    }

    #[test]
    fn a_route_that_is_dropped_soon_after_the_start_is_no_wrong_path() {
        all_hold([3_000, 4_500].map(|after| (after, drops_its_route(after))));
    }

    fn drops_its_route(after: i64) -> Story {
        Story::new(600, &[(0, Apply(asks("/health", healthy().drops_route_after(after))))])
            .truth(Truth::killed(&[ReportsUnhealthy]).looping())
    }

    #[test]
    fn a_kubelet_restarts_in_the_middle_of_a_wrong_path() {
        for at in [75, 110, 190] {
            Story::new(
                500,
                &[
                    (0, Apply(asks("/health", healthy()))),
                    (60, Apply(asks("/v2/health", healthy()))),
                    (at, RestartKubelet(0)),
                    (300, Apply(asks("/health", healthy()))),
                ],
            )
            .truth(
                Truth::killed(&[WrongPath]).field(PATH).now("/v2/health").suggest(&["/health"]).revision(2).resolved(),
            )
            .holds();
        }
    }

    #[test]
    fn routes_that_come_late_are_not_wrong_when_the_threshold_is_cut() {
        let with = |failures: u32| {
            let mut it = asks("/health", healthy().routes_after(8_000));
            it.containers[0].probes[0].1.failures = failures;
            it
        };
        Story::new(400, &[(0, Apply(with(10))), (60, Apply(with(2)))])
            .truth(
                Truth::killed(&[KilledWhileStarting])
                    .field("livenessProbe.failureThreshold")
                    .now("2")
                    .suggest(&["10"])
                    .revision(2)
                    .looping(),
            )
            .holds();
    }

    #[test]
    fn a_path_and_arguments_change_together() {
        let make = |path, args: &[&'static str]| Apply(web(app(healthy()).args(args).liveness(Probe::http(path))));
        Story::new(400, &[(0, make("/health", &[])), (60, make("/v2/health", &["--fast"]))])
            .truth(Truth::killed(&[WrongPath]).field(PATH).now("/v2/health").suggest(&["-", "/health"]).revision(2))
            .holds();
    }

    #[test]
    fn a_readiness_path_that_was_never_there() {
        let it = web(app(healthy()).liveness(Probe::http("/health")).readiness(Probe::http("/readyz")));
        Story::new(300, &[(0, Apply(it))])
            .truth(Truth::never_ready(&[WrongPath]).field("readinessProbe.httpGet.path").now("/readyz").looping())
            .holds();
    }
}

mod rollouts_that_crash {
    use super::*;

    /// Killed at 4 to 6 s of uptime and a fraction; by timestamps of whole seconds, from 3 s on.
    fn story(path: &'static str, uptime: i64, code: i32) -> Story {
        let crashes = healthy().ends_after(uptime, End::Code(code));
        Story::new(
            600,
            &[(0, Apply(asks("/health", healthy()))), (60, Apply(with_image(asks(path, crashes), "shop:2")))],
        )
    }

    #[test]
    fn a_crash_before_the_kill_is_a_crash_although_the_path_changed() {
        for uptime in [1_000, 1_700, 2_400] {
            story("/v2/health", uptime, 1).truth(Truth::own(&[Crash]).revision(2).looping()).holds();
        }
    }

    #[test]
    fn a_crash_about_the_time_of_the_kill_is_never_blamed_wrongly() {
        for uptime in [3_100, 3_600, 4_500, 5_200] {
            story("/v2/health", uptime, 1)
                .truth(Truth::own(&[Crash]).may())
                .truth(Truth::killed(&[WrongPath]).now("/v2/health").may())
                .holds();
        }
    }

    #[test]
    fn a_crash_with_a_healthy_probe() {
        for code in [1, 2, 137, 139, 143] {
            let causes = if code == 137 || code == 143 { &[Crash, KilledExternally][..] } else { &[Crash] };
            all_hold([1_500, 3_800, 4_200, 5_000, 6_300, 12_000].map(|uptime| {
                (format!("{code} at {uptime}"), story("/health", uptime, code).truth(Truth::own(causes).looping()))
            }));
        }
    }

    #[test]
    fn an_exit_with_0_and_a_healthy_probe() {
        for uptime in [1_500, 4_200, 6_300] {
            story("/health", uptime, 0).truth(Truth::own(&[Exits]).looping()).holds();
        }
    }

    #[test]
    fn an_out_of_memory_kill_with_a_healthy_probe() {
        for uptime in [1_500, 4_200, 6_300, 30_000] {
            let it = asks("/health", healthy().ends_after(uptime, End::OutOfMemory));
            Story::new(600, &[(0, Apply(it))]).truth(Truth::own(&[OutOfMemory]).looping()).holds();
        }
    }

    #[test]
    fn an_image_without_routes_after_one_that_ran_for_half_a_minute() {
        let gone = healthy().special(|ask| matches!(ask.handler, Handler::Http { .. }).then_some(Answer::Status(404)));
        let make = |it, image| {
            let it = app(it).liveness(Probe::http("/health").every(3).failing(3));
            with_image(Workload::deployment("web", it), image)
        };
        Story::new(300, &[(0, Apply(make(healthy(), "shop:1"))), (40, Apply(make(gone, "shop:2")))])
            .truth(Truth::killed(&[ReportsUnhealthy, Unknown]).looping())
            .holds();
    }

    #[test]
    fn a_kubelet_restarts_in_the_middle_of_a_crash_loop() {
        let it = asks("/health", healthy().ends_after(4_000, End::Code(1)));
        Story::new(500, &[(0, Apply(it)), (100, RestartKubelet(0))]).truth(Truth::own(&[Crash]).looping()).holds();
    }
}

mod starts {
    use super::*;

    #[test]
    fn a_slow_start_without_a_startup_probe() {
        let it = asks("/health", healthy().listens_after(12_000));
        Story::new(400, &[(0, Apply(it))])
            .truth(Truth::killed(&[KilledWhileStarting, NothingListening]).at_most(Confidence::Medium).looping())
            .holds();
    }

    #[test]
    fn a_slow_start_is_known_from_the_readiness_of_the_revision_before() {
        let slow = || app(healthy().listens_after(12_000)).ports(&[("http", 8080)]);
        let asked = |wait| web(slow().liveness(Probe::http("/health").after(wait)).readiness(Probe::tcp(8080)));
        Story::new(300, &[(0, Apply(asked(14))), (40, Apply(asked(0)))])
            .truth(
                Truth::killed(&[KilledWhileStarting])
                    .field("livenessProbe.initialDelaySeconds")
                    .now("0")
                    .suggest(&["14"])
                    .at_most(Confidence::Medium)
                    .revision(2)
                    .looping(),
            )
            .holds();
    }

    #[test]
    fn a_port_that_no_longer_opens_is_no_slow_start_where_it_had_opened_at_once() {
        let ports = &[("http", 8080)];
        let before = app(healthy()).ports(ports).liveness(Probe::http("/health").after(60));
        let now = app(healthy().listens_after(900_000)).ports(ports).liveness(Probe::http("/health"));
        let asked = |container: Container| Apply(web(container.readiness(Probe::tcp(8080))));
        Story::new(300, &[(0, asked(before)), (40, asked(now))])
            .truth(Truth::killed(&[NothingListening]).revision(2).looping())
            .holds();
    }

    #[test]
    fn a_startup_probe_that_is_too_short_while_another_run_came_up() {
        let slow = healthy().special(|ask| (ask.run % 4 != 3 && ask.uptime < 15_000).then_some(Answer::Refused));
        let container = app(slow.ends(|run| (run % 4 == 3).then_some((40_000, End::Code(1)))));
        let it = web(container.startup(Probe::http("/health").failing(4)).liveness(Probe::http("/health")));
        Story::new(600, &[(0, Apply(it))])
            .truth(
                // That one incarnation came up at once does not show that the others need longer.
                Truth::killed(&[KilledWhileStarting, Unknown]).probe(ProbeKind::Startup),
            )
            .holds();
    }
}

mod ports_and_schemes {
    use super::*;

    fn probing(probe: Probe, it: App) -> Workload {
        web(app(it).liveness(probe).readiness(Probe::http("/health")))
    }

    #[test]
    fn a_port_that_a_rollout_changed() {
        let ports = |number| {
            let container = app(healthy()).ports(&[("http", 8080), ("admin", 9090)]);
            web(container.liveness(Probe::http("/health").on(Port::Number(number))))
        };
        Story::new(400, &[(0, Apply(ports(8080))), (60, Apply(ports(9090)))])
            .truth(
                Truth::killed(&[WrongPort])
                    .field("livenessProbe.httpGet.port")
                    .now("9090")
                    .suggest(&["8080"])
                    .revision(2)
                    .looping(),
            )
            .holds();
    }

    #[test]
    fn a_port_that_no_container_has() {
        let it = probing(Probe::http("/health").on(Port::Number(8081)), healthy());
        Story::new(400, &[(0, Apply(it))])
            .truth(
                Truth::killed(&[WrongPort])
                    .field("livenessProbe.httpGet.port")
                    .now("8081")
                    .suggest(&["8080", "http"])
                    .looping(),
            )
            .holds();
    }

    #[test]
    fn https_is_asked_of_http() {
        let (old, new) =
            (probing(Probe::http("/health"), healthy()), probing(Probe::http("/health").https(), healthy()));
        Story::new(300, &[(0, Apply(old)), (60, Apply(new))])
            .truth(
                Truth::killed(&[WrongScheme])
                    .field("livenessProbe.httpGet.scheme")
                    .now("HTTPS")
                    .suggest(&["HTTP"])
                    .revision(2)
                    .looping(),
            )
            .holds();
    }

    #[test]
    fn http_is_asked_of_https() {
        let with = |probe: Probe| web(app(healthy().tls()).liveness(probe));
        Story::new(300, &[(0, Apply(with(Probe::http("/health").https()))), (60, Apply(with(Probe::http("/health"))))])
            .truth(
                Truth::killed(&[WrongScheme])
                    .field("livenessProbe.httpGet.scheme")
                    .now("HTTP")
                    .suggest(&["HTTPS"])
                    .revision(2)
                    .looping(),
            )
            .holds();
    }

    #[test]
    fn a_named_port_that_is_missing() {
        let it = web(app(healthy()).liveness(Probe::http("/health").on(Port::Name("metrics"))));
        Story::new(300, &[(0, Apply(it))])
            .truth(
                Truth::killed(&[ProbeCannotRun, WrongPort])
                    .effect(Effect::ProbeIneffective)
                    .field("livenessProbe.httpGet.port")
                    .now("metrics")
                    .looping(),
            )
            .holds();
    }

    #[test]
    fn a_tcp_probe_of_a_port_that_nothing_has() {
        let it = web(app(healthy()).liveness(Probe::tcp(9999)).readiness(Probe::http("/health")));
        Story::new(300, &[(0, Apply(it))])
            .truth(Truth::killed(&[WrongPort]).field("livenessProbe.tcpSocket.port").now("9999").looping())
            .holds();
    }
}

mod slowness {
    use super::*;

    #[test]
    fn a_timeout_that_a_rollout_cut() {
        let with =
            |seconds| web(app(healthy().latency(2_500)).liveness(Probe::http("/health").every(5).within(seconds)));
        Story::new(400, &[(0, Apply(with(5))), (60, Apply(with(1)))])
            .truth(
                Truth::killed(&[TimeoutTooShort])
                    .field("livenessProbe.timeoutSeconds")
                    .now("1")
                    .suggest(&["5"])
                    .revision(2)
                    .looping(),
            )
            .holds();
    }

    #[test]
    fn an_app_that_hangs_after_a_while() {
        hangs(25_000).holds();
    }

    #[test]
    fn an_app_that_hangs_soon() {
        hangs(8_000).holds();
    }

    #[test]
    fn an_app_that_hangs_after_more_than_a_minute() {
        hangs(70_000).holds();
    }

    fn hangs(after: i64) -> Story {
        let it = asks("/health", healthy().hangs_after(after));
        Story::new(600, &[(0, Apply(it))]).truth(Truth::killed(&[Hung]).looping())
    }

    #[test]
    fn an_app_that_hangs_once() {
        let once = healthy().special(|ask| (ask.run == 0 && ask.uptime > 40_000).then_some(Answer::Hang));
        Story::new(600, &[(0, Apply(asks("/health", once)))]).holds();
    }

    #[test]
    fn a_kubelet_restarts_in_the_middle_of_hangs_and_of_503() {
        for (it, cause) in [(healthy().hangs_after(20_000), Hung), (healthy().sick_after(20_000), ReportsUnhealthy)] {
            Story::new(600, &[(0, Apply(asks("/health", it))), (150, RestartKubelet(0))])
                .truth(Truth::killed(&[cause]).looping())
                .holds();
        }
    }
}

mod other_handlers {
    use super::*;

    fn runs(output: &'static str, code: i32) -> Workload {
        let it =
            healthy().special(move |ask| matches!(ask.handler, Handler::Exec(_)).then_some(Answer::Exit(code, output)));
        web(app(it).liveness(Probe::exec(&["sh", "-c", "curl -sf localhost:8080/health"])))
    }

    #[test]
    fn an_exec_probe_whose_command_is_missing() {
        Story::new(300, &[(0, Apply(runs("sh: curl: not found\n", 127)))])
            .truth(Truth::killed(&[WrongCommand]).field("livenessProbe.exec.command").looping())
            .holds();
    }

    #[test]
    fn an_exec_probe_that_fails() {
        for output in ["", "queue stuck\n", "HTTP probe failed with statuscode: 404"] {
            Story::new(400, &[(0, Apply(runs(output, 1)))])
                .truth(Truth::killed(&[ReportsUnhealthy, Unknown]).looping())
                .holds();
        }
    }

    #[test]
    fn an_exec_probe_whose_binary_is_missing_protects_nothing() {
        let it = healthy().special(|ask| matches!(ask.handler, Handler::Exec(_)).then_some(Answer::NoBinary));
        Story::new(300, &[(0, Apply(web(app(it).liveness(Probe::exec(&["/bin/check"])))))])
            .truth(Truth::killed(&[ProbeCannotRun, WrongCommand]).effect(Effect::ProbeIneffective).looping())
            .holds();
    }

    #[test]
    fn a_probe_that_cannot_run_protects_nothing_although_it_was_refused_while_the_app_started() {
        let it = healthy().special(|ask| {
            matches!(ask.handler, Handler::Exec(_)).then_some(match ask.uptime {
                ..4_000 | 30_000..33_000 => Answer::Exit(1, "not yet\n"),
                _ => Answer::NoBinary,
            })
        });
        Story::new(300, &[(0, Apply(web(app(it).liveness(Probe::exec(&["/bin/check"]).every(3).failing(3)))))])
            .truth(Truth::killed(&[ProbeCannotRun, WrongCommand, Unknown]).effect(Effect::ProbeIneffective).looping())
            .holds();
    }

    #[test]
    fn a_startup_probe_that_cannot_run_is_one_fault_also_after_the_kubelet_takes_it_for_started() {
        let it = healthy().special(|ask| matches!(ask.handler, Handler::Exec(_)).then_some(Answer::NoBinary));
        Story::new(400, &[(0, Apply(web(app(it).startup(Probe::exec(&["/bin/check"]))))), (150, RestartKubelet(0))])
            .truth(Truth::never_ready(&[ProbeCannotRun, WrongCommand]).probe(ProbeKind::Startup).looping())
            .cut(100)
            .holds();
    }

    #[test]
    fn a_grpc_service_that_is_unknown() {
        let it = web(app(App::serving("shop.Cart")).liveness(Probe::grpc(8080, "shop.Basket")));
        Story::new(300, &[(0, Apply(it))])
            .truth(Truth::killed(&[WrongGrpcService]).field("livenessProbe.grpc.service").now("shop.Basket").looping())
            .holds();
    }

    #[test]
    fn a_grpc_service_that_stops_serving() {
        let it = web(app(App::serving("shop.Cart").sick_after(20_000)).liveness(Probe::grpc(8080, "shop.Cart")));
        Story::new(400, &[(0, Apply(it))]).truth(Truth::killed(&[ReportsUnhealthy]).looping()).holds();
    }
}

mod workloads {
    use super::*;

    fn of(controller: Controller, path: &'static str) -> Workload {
        Workload::new(controller, "web", &[app(healthy()).liveness(Probe::http(path))]).replicas(2)
    }

    #[test]
    fn revisions_of_stateful_and_daemon_sets() {
        for (controller, name) in
            [(Controller::StatefulSet, "StatefulSet/web"), (Controller::DaemonSet, "DaemonSet/web")]
        {
            let make = |path| Apply(of(controller, path));
            // A StatefulSet delays the fix until the broken pod is ready between two kills.
            Story::new(1000, &[(0, make("/health")), (60, make("/v2/health")), (200, make("/health"))])
                .truth(
                    Truth::killed(&[WrongPath])
                        .of(name, "app")
                        .field(PATH)
                        .now("/v2/health")
                        .suggest(&["/health"])
                        .revision(2)
                        .resolved(),
                )
                .holds();
        }
    }

    #[test]
    fn a_job_that_is_not_restarted_in_place() {
        let mut job = of(Controller::Job, "/v2/health");
        job.containers[0].app.term = Term::Exits(143, 20);
        Story::new(300, &[(0, Apply(job))])
            .truth(Truth::killed(&[WrongPath]).effect(Effect::Killed).of("Job/web", "app").field(PATH))
            .holds();
    }

    #[test]
    fn a_job_that_is_restarted_in_place() {
        let mut job = of(Controller::Job, "/v2/health").on_failure();
        job.containers[0].app.term = Term::Exits(143, 20);
        Story::new(300, &[(0, Apply(job))]).truth(Truth::killed(&[WrongPath]).of("Job/web", "app").field(PATH)).holds();
    }

    #[test]
    fn a_job_that_is_restarted_in_place_until_it_exits_with_0() {
        Story::new(300, &[(0, Apply(of(Controller::Job, "/v2/health").on_failure()))])
            .truth(Truth::killed(&[WrongPath]).of("Job/web", "app").field(PATH))
            .holds();
    }

    #[test]
    fn a_cron_job_is_named_and_not_its_job() {
        let mut job = of(Controller::CronJob, "/v2/health");
        job.containers[0].app.term = Term::Exits(143, 20);
        Story::new(300, &[(0, Apply(job))])
            .truth(Truth::killed(&[WrongPath]).effect(Effect::Killed).of("CronJob/web", "app").field(PATH))
            .holds();
    }

    #[test]
    fn the_second_of_two_containers() {
        let second = Container::new("metrics", App::serving("/metrics").port(9100)).ports(&[("http", 9100)]);
        let make = |path| {
            let first = app(healthy()).liveness(Probe::http("/health"));
            Apply(Workload::new(Controller::Deployment, "web", &[first, second.clone().liveness(Probe::http(path))]))
        };
        Story::new(300, &[(0, make("/metrics")), (60, make("/prom"))])
            .truth(
                Truth::killed(&[WrongPath])
                    .of("Deployment/web", "metrics")
                    .field(PATH)
                    .now("/prom")
                    .suggest(&["/metrics"])
                    .revision(2),
            )
            .holds();
    }

    #[test]
    fn a_sidecar() {
        let proxy = Container::new("proxy", App::serving("/ready").port(15_021)).ports(&[("http", 15_021)]).sidecar();
        let make = |path| {
            let first = app(healthy()).liveness(Probe::http("/health"));
            Apply(Workload::new(Controller::Deployment, "web", &[first, proxy.clone().liveness(Probe::http(path))]))
        };
        Story::new(300, &[(0, make("/ready")), (60, make("/live"))])
            .truth(
                Truth::killed(&[WrongPath])
                    .of("Deployment/web", "proxy")
                    .field(PATH)
                    .now("/live")
                    .suggest(&["/ready"])
                    .revision(2),
            )
            .holds();
    }

    #[test]
    fn a_loop_that_is_scaled_away_or_deleted_is_over() {
        for end in [Scale("web", 0), Delete("web")] {
            Story::new(300, &[(0, Apply(asks("/v2/health", healthy()))), (100, end)])
                .truth(Truth::killed(&[WrongPath]).field(PATH).now("/v2/health").resolved())
                .cut(60)
                .holds();
        }
    }

    #[test]
    fn a_wrong_path_that_comes_back_is_a_second_episode() {
        let make = |path| Apply(asks(path, healthy()));
        let steps = [(0, make("/health")), (60, make("/v2/health")), (120, make("/health")), (400, make("/v2/health"))];
        Story::new(500, &steps)
            .truth(
                Truth::killed(&[WrongPath]).field(PATH).now("/v2/health").suggest(&["/health"]).episodes(2).looping(),
            )
            .cut(420)
            .holds();
    }
}

mod surroundings {
    use super::*;

    fn named(name: &'static str, sick: std::ops::Range<i64>) -> Workload {
        let it = healthy().special(move |ask| sick.contains(&ask.now).then_some(Answer::Status(503)));
        Workload::deployment(name, app(it).liveness(Probe::http("/health"))).replicas(2)
    }

    #[test]
    fn two_workloads_whose_dependency_goes_down() {
        let sick = 100_000..200_000;
        Story::new(700, &[(0, Apply(named("orders", sick.clone()))), (1, Apply(named("payments", sick)))])
            .truth(Truth::killed(&[DependencyDown]).of("Deployment/orders", "app").resolved())
            .truth(Truth::killed(&[DependencyDown]).of("Deployment/payments", "app").resolved())
            .cut(50)
            .holds();
    }

    #[test]
    fn a_dependency_that_goes_down_after_one_of_them_was_slow_to_begin() {
        let make = |name, begins: i64| {
            let down = 160_000..280_000;
            let it = healthy().special(move |ask| {
                let sick = down.contains(&ask.now) || ask.run == 0 && ask.uptime < begins;
                sick.then_some(Answer::Status(503))
            });
            let liveness = Probe::http("/health").every(3).failing(3);
            Workload::deployment(name, app(it).liveness(liveness).readiness(Probe::http("/health").every(2)))
        };
        Story::new(900, &[(0, Apply(make("orders", 5_000))), (1, Apply(make("payments", 0)))])
            .truth(Truth::killed(&[DependencyDown]).of("Deployment/orders", "app").resolved())
            .truth(Truth::killed(&[DependencyDown]).of("Deployment/payments", "app").resolved())
            .cut(50)
            .holds();
    }

    #[test]
    fn a_route_is_dropped_on_a_node_whose_restarted_kubelet_shows_old_ends() {
        let gone = healthy().special(|ask| (ask.now >= 350_000).then_some(Answer::Status(404)));
        let quotes = app(gone).liveness(Probe::http("/health").every(4).failing(3));
        let quotes = Workload::deployment("quotes", quotes).nodes(1);
        let crashing = Workload::deployment("feed", app(healthy().ends_after(5_000, End::Code(1)))).nodes(1);
        Story::new(700, &[(0, Apply(crashing)), (300, Apply(quotes)), (400, RestartKubelet(0))])
            .truth(Truth::killed(&[ReportsUnhealthy]).of("Deployment/quotes", "app").looping())
            .truth(Truth::own(&[Crash]).of("Deployment/feed", "app").looping())
            .cut(340)
            .holds();
    }

    #[test]
    fn two_workloads_that_become_sick_at_different_times() {
        let orders = named("orders", 100_000..200_000);
        Story::new(700, &[(0, Apply(orders)), (1, Apply(named("payments", 150_000..250_000)))])
            .truth(Truth::killed(&[ReportsUnhealthy]).of("Deployment/orders", "app").resolved())
            .truth(Truth::killed(&[ReportsUnhealthy]).of("Deployment/payments", "app").resolved())
            .cut(50)
            .holds();
    }

    #[test]
    fn a_readiness_503_from_the_start() {
        let it = healthy()
            .special(|ask| matches!(ask.handler, Handler::Http { path: "/ready", .. }).then_some(Answer::Status(503)));
        let it = web(app(it).liveness(Probe::http("/health")).readiness(Probe::http("/ready")));
        Story::new(420, &[(0, Apply(it))])
            .truth(Truth::never_ready(&[ReportsUnhealthy]).at_most(Confidence::Medium).looping())
            .holds();
    }

    #[test]
    fn a_node_that_is_rebooted() {
        let steps = [
            (0, Apply(named("orders", 0..0).replicas(4))),
            (1, Apply(named("payments", 0..0).replicas(4))),
            (2, Apply(named("carts", 0..0).replicas(4))),
            (100, Reboot(0)),
        ];
        let may = |name| Truth::own(&[NodeTrouble]).of(name, "app").may();
        Story::new(500, &steps)
            .truth(may("Deployment/orders"))
            .truth(may("Deployment/payments"))
            .truth(may("Deployment/carts"))
            .holds();
    }

    /// Every 100 s everything on the first node is killed, four times.
    fn struck(names: &[&'static str]) -> Story {
        let applied = names.iter().map(|name| (0, Apply(named(name, 0..0))));
        let strikes = [100, 200, 300, 400].map(|at| (at, Strike(0)));
        Story::new(600, &applied.chain(strikes).collect::<Vec<_>>())
    }

    #[test]
    fn a_node_on_which_everything_is_killed_again_and_again() {
        let truth = |name| Truth::own(&[NodeTrouble]).of(name, "app");
        struck(&["orders", "payments", "carts"])
            .truth(truth("Deployment/orders"))
            .truth(truth("Deployment/payments"))
            .truth(truth("Deployment/carts"))
            .holds();
    }

    #[test]
    fn two_workloads_that_are_killed_at_once_are_no_trouble_of_their_node() {
        let truth = |name| Truth::own(&[KilledExternally]).of(name, "app");
        struck(&["orders", "payments"]).truth(truth("Deployment/orders")).truth(truth("Deployment/payments")).holds();
    }

    #[test]
    fn what_is_killed_on_its_own_too_has_its_own_reason() {
        let own = || healthy().ends(|run| (run % 2 == 0).then_some((35_000, End::Code(137))));
        let lone = Workload::deployment("lone", app(own()).liveness(Probe::http("/health"))).replicas(1);
        let steps: Vec<_> = ["orders", "carts"].map(|name| (0, Apply(named(name, 0..0)))).to_vec();
        let strikes = [100, 200, 300, 400].map(|at| (at, Strike(0)));
        let mut story = Story::new(600, &[&[(0, Apply(lone))], &steps[..], &strikes].concat());
        for name in ["Deployment/lone", "Deployment/orders", "Deployment/carts"] {
            story = story.truth(Truth::own(&[KilledExternally]).of(name, "app"));
        }
        story.holds();
    }

    #[test]
    fn workloads_of_a_node_that_crash_at_once_are_no_trouble_of_it() {
        let crashing = |name| {
            let it = healthy()
                .special(|ask| (ask.now > 100_000).then_some(Answer::Refused))
                .ends_after(40_000, End::Code(1));
            Workload::deployment(name, app(it).liveness(Probe::http("/health").failing(9))).replicas(1)
        };
        let names = ["orders", "payments", "carts"];
        let mut story = Story::new(600, &names.map(|name| (0, Apply(crashing(name)))));
        for name in ["Deployment/orders", "Deployment/payments", "Deployment/carts"] {
            story = story.truth(Truth::own(&[Crash]).of(name, "app"));
        }
        story.holds();
    }

    #[test]
    fn healthy_churn() {
        let make =
            |image| Apply(with_image(asks("/health", healthy().listens_after(1_500)).replicas(3).gradual(), image));
        let steps = [(0, make("shop:1")), (60, make("shop:2")), (120, make("shop:3")), (200, Scale("web", 5))];
        let restarts = [(260, Scale("web", 2)), (300, RestartKubelet(0)), (330, make("shop:1"))];
        Story::new(500, &[&steps[..], &restarts[..]].concat()).holds();
    }
}
