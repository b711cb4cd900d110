# Lo que lee la persona. Las reglas están en ../en/notice.ftl.

title = Se han cerrado sus sesiones
title-refresh = Sus permisos de acceso han cambiado
title-session = Se ha cerrado una de sus sesiones
title-others = Se han cerrado todas sus demás sesiones
greeting = Hola:
organisation = su organización
    .sms = su empresa

date = %d/%m/%Y a las %H:%M
    .sms = %d/%m/%Y a las %H:%M

what = El { $time } se cerraron todas sus sesiones. Ya no tiene la sesión abierta en ningún dispositivo.
    .sms = Todas sus sesiones se cerraron el { $time }.
what-refresh = El { $time } se modificaron sus permisos de acceso. Sus aplicaciones aplicarán los nuevos permisos por sí solas la próxima vez que renueven su sesión.
    .sms = Sus permisos de acceso se modificaron el { $time }.
what-session = El { $time } se cerró una de sus sesiones; otras siguen abiertas.
    .sms = Una de sus sesiones fue cerrada el { $time }.
what-others = El { $time } se cerraron todas sus sesiones menos una. Ya no tiene la sesión abierta en ningún otro dispositivo.
    .sms = Todas sus sesiones menos una se cerraron el { $time }.

why-given = Motivo indicado: { $reason }
    .sms = Motivo: { $reason }
why-offboarding = Su relación laboral o su encargo ha finalizado.
    .sms = Motivo: su contrato o su encargo ha finalizado.
why-compromise = Hay indicios de que otra persona tiene acceso a su cuenta.
    .sms = Motivo: otra persona parece tener acceso a su cuenta.
why-anomaly = Se ha detectado actividad inusual en su cuenta. Hemos cerrado sus sesiones por precaución.
    .sms = Motivo: actividad inusual en su cuenta.
why-role_change = Su función o sus permisos de acceso han cambiado.
    .sms = Motivo: sus permisos de acceso han cambiado.
why-refresh = Han cambiado su función o sus grupos.
    .sms = Motivo: han cambiado sus tareas o sus grupos.
why-project_end = El proyecto o el contrato en el que se basaba su acceso ha finalizado.
    .sms = Motivo: el proyecto o el contrato ha finalizado.
why-policy_violation = Se ha constatado un incumplimiento de las normas de uso.
    .sms = Motivo: incumplimiento de las normas de uso.
why-user_request = Usted pidió que se cerraran sus sesiones.
    .sms = Motivo: usted lo ha solicitado.
why-canary = Ha sido una prueba de nuestros propios sistemas.
    .sms = Ha sido una prueba.

do-offboarding = No tiene que hacer nada.
    .sms = No tiene que hacer nada.
do-compromise = Acceda a la página de inicio de sesión como de costumbre y elija una contraseña nueva cuando se le pida; si no se le pide, cámbiela por su cuenta. Si usa la misma contraseña en otros sitios, cámbiela también allí.
    .sms = Cambie su contraseña cuando se le pida y en todos los sitios donde la use.
do-anomaly = Vuelva a iniciar sesión como de costumbre, confirme con su segundo factor (MFA) y revise su actividad reciente. Si algo no lo ha hecho usted, comuníquelo de inmediato.
    .sms = Vuelva a entrar con MFA y revise su actividad reciente.
do-role_change = Vuelva a iniciar sesión para continuar con sus nuevos permisos de acceso.
    .sms = Vuelva a entrar, por favor.
do-project_end = No tiene que hacer nada. Si todavía necesita acceso, póngase en contacto con { $organisation }.
    .sms = No tiene que hacer nada.
do-policy_violation = Lea las normas de uso antes de volver a iniciar sesión.
    .sms = Lea las normas de uso antes de volver a entrar.
do-user_request = Puede volver a iniciar sesión cuando quiera. Si no lo pidió usted, cambie su contraseña y póngase en contacto con { $organisation } cuanto antes.
    .sms = Si no fue usted, cambie su contraseña.
do-canary = No tiene que hacer nada.
    .sms = No tiene que hacer nada.
do-disabled = Su cuenta está deshabilitada. Para que vuelvan a habilitarla, póngase en contacto con { $organisation }.
    .sms = Su cuenta ha sido deshabilitada.
do-refresh = No tiene que hacer nada. Si alguna aplicación no muestra sus nuevos permisos, cierre la sesión en ella y vuelva a iniciarla.
    .sms = No tiene que hacer nada.

ask = ¿Tiene alguna pregunta? Póngase en contacto con { $organisation } por una vía que ya conozca.
    .sms = ¿Preguntas? Contacte con { $organisation }.
no-links = En este mensaje nunca enviamos enlaces en los que hacer clic. Si un mensaje como este contiene alguno, no lo abra.
    .sms = Nunca enviamos enlaces.
link-removed = (enlace eliminado)
    .sms = (enlace eliminado)
